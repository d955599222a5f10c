//! What a statement is given and what it gives back: values, their kinds, and rows of them.

use crate::fault::Fault;
use crate::statement::Statement;

/// What a parameter or a column holds, without the value itself. Any of them may also be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// True or false (`boolean`; SQLite keeps 0 and 1).
    Bool,
    /// A whole number of 64 bits (`bigint`): an amount in minor units, a version, a count, an instant.
    Int,
    /// Unicode text (`text`), compared byte by byte.
    Text,
    /// Bytes (`bytea`; SQLite keeps a blob): what is encrypted, hashed or packed.
    Blob,
}

/// One value on its way to or from the database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// Absent. It fits a parameter of every kind.
    Null,
    /// See [`Kind::Bool`].
    Bool(bool),
    /// See [`Kind::Int`].
    Int(i64),
    /// See [`Kind::Text`].
    Text(String),
    /// See [`Kind::Blob`].
    Blob(Vec<u8>),
}

impl Value {
    /// The kind of the value; `None` for null, which fits them all.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Null => None,
            Self::Bool(_) => Some(Kind::Bool),
            Self::Int(_) => Some(Kind::Int),
            Self::Text(_) => Some(Kind::Text),
            Self::Blob(_) => Some(Kind::Blob),
        }
    }

    /// Whether the value may be given where `kind` is asked for.
    #[must_use]
    pub fn fits(&self, kind: Kind) -> bool {
        self.kind().is_none_or(|own| own == kind)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of an answer, read by position in the order of [`Statement::columns`].
///
/// A getter that finds something else than was declared answers [`Fault::Corrupt`] with the
/// statement and the position: such a row was not written by us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    statement: &'static Statement,
    values: Vec<Value>,
}

impl Row {
    /// A row of `statement`'s answer. Only drivers make rows.
    #[must_use]
    pub fn new(statement: &'static Statement, values: Vec<Value>) -> Self {
        Self { statement, values }
    }

    /// All values, in order.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The truth at `position`. Errors: [`Fault::Corrupt`] when it is null or of another kind.
    pub fn bool(&self, position: usize) -> Result<bool, Fault> {
        match self.at(position)? {
            Value::Bool(value) => Ok(*value),
            other => Err(self.not(position, "a boolean", other)),
        }
    }

    /// The whole number at `position`. Errors: [`Fault::Corrupt`] when it is null or of another kind.
    pub fn int(&self, position: usize) -> Result<i64, Fault> {
        match self.at(position)? {
            Value::Int(value) => Ok(*value),
            other => Err(self.not(position, "a whole number", other)),
        }
    }

    /// The text at `position`. Errors: [`Fault::Corrupt`] when it is null or of another kind.
    pub fn text(&self, position: usize) -> Result<&str, Fault> {
        match self.at(position)? {
            Value::Text(value) => Ok(value),
            other => Err(self.not(position, "text", other)),
        }
    }

    /// The bytes at `position`. Errors: [`Fault::Corrupt`] when they are null or of another kind.
    pub fn blob(&self, position: usize) -> Result<&[u8], Fault> {
        match self.at(position)? {
            Value::Blob(value) => Ok(value),
            other => Err(self.not(position, "bytes", other)),
        }
    }

    /// The whole number at `position`, or `None` for null. Errors: as [`Row::int`].
    pub fn opt_int(&self, position: usize) -> Result<Option<i64>, Fault> {
        self.present(position)?.then(|| self.int(position)).transpose()
    }

    /// The text at `position`, or `None` for null. Errors: as [`Row::text`].
    pub fn opt_text(&self, position: usize) -> Result<Option<&str>, Fault> {
        self.present(position)?.then(|| self.text(position)).transpose()
    }

    /// The bytes at `position`, or `None` for null. Errors: as [`Row::blob`].
    pub fn opt_blob(&self, position: usize) -> Result<Option<&[u8]>, Fault> {
        self.present(position)?.then(|| self.blob(position)).transpose()
    }

    /// What a reader says when the value at `position` has the right kind but means nothing:
    /// an unknown code, a date that does not exist, a negative count.
    #[must_use]
    pub fn corrupt(&self, position: usize, what: impl Into<String>) -> Fault {
        Fault::Corrupt {
            statement: self.statement.name,
            what: format!("column {}: {}", position.saturating_add(1), what.into()),
        }
    }

    fn present(&self, position: usize) -> Result<bool, Fault> {
        Ok(!matches!(self.at(position)?, Value::Null))
    }

    fn at(&self, position: usize) -> Result<&Value, Fault> {
        self.values
            .get(position)
            .ok_or_else(|| self.corrupt(position, "there is no such column"))
    }

    fn not(&self, position: usize, expected: &str, found: &Value) -> Fault {
        let found = match found.kind() {
            None => "null".to_owned(),
            Some(kind) => format!("{kind:?}").to_lowercase(),
        };
        self.corrupt(position, format!("expected {expected}, found {found}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static PAIR: Statement = Statement {
        name: "pair.find",
        sql: "-- pair.find\nselect a, b from pair",
        params: &[],
        columns: &[Kind::Int, Kind::Text],
    };

    #[test]
    fn a_row_gives_what_was_declared_and_names_what_was_not() {
        let row = Row::new(&PAIR, vec![Value::Int(7), Value::Null]);
        assert_eq!(row.int(0).unwrap(), 7);
        assert_eq!(row.opt_text(1).unwrap(), None);
        let fault = row.text(1).unwrap_err().to_string();
        assert!(
            fault.contains("pair.find") && fault.contains("column 2") && fault.contains("null"),
            "{fault}"
        );
        let fault = row.blob(0).unwrap_err().to_string();
        assert!(fault.contains("expected bytes, found int"), "{fault}");
        assert!(row.int(2).unwrap_err().to_string().contains("no such column"));
    }

    #[test]
    fn null_fits_every_kind_and_a_value_only_its_own() {
        for kind in [Kind::Bool, Kind::Int, Kind::Text, Kind::Blob] {
            assert!(Value::Null.fits(kind));
            assert_eq!(Value::Int(1).fits(kind), kind == Kind::Int);
        }
        assert_eq!(Value::from(None::<&str>), Value::Null);
        assert_eq!(Value::from(Some("a")), Value::Text("a".to_owned()));
    }
}
