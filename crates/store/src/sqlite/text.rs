//! Statements as SQLite takes them: the text, the parameters, the answers.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};

use crate::fault::Fault;
use crate::statement::{Identity, Statement};
use crate::value::{Kind, Row, Value};

/// The text with `?1` for `$1`: SQLite numbers `$` parameters by their first use and not by their name.
pub(super) fn with_question_marks(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut in_string = false;
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        in_string ^= c == '\'';
        let is_parameter = c == '$' && !in_string && rest.peek().is_some_and(char::is_ascii_digit);
        text.push(if is_parameter { '?' } else { c });
    }
    text
}

/// The statements that a connection has prepared, by their text.
pub(super) struct Prepared<'c> {
    connection: &'c Connection,
    statements: HashMap<Identity, rusqlite::Statement<'c>>,
}

impl<'c> Prepared<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            statements: HashMap::new(),
        }
    }

    /// How many rows the statement touched, or returned if it returns any.
    pub(super) fn touch(&mut self, statement: &'static Statement, params: &[Value]) -> Result<usize, Fault> {
        let prepared = self.bound(statement, params)?;
        if statement.columns.is_empty() {
            return prepared
                .raw_execute()
                .map_err(|error| fault_of(statement, &error));
        }
        let mut rows = prepared.raw_query();
        let mut count: usize = 0;
        while rows
            .next()
            .map_err(|error| fault_of(statement, &error))?
            .is_some()
        {
            count = count.saturating_add(1);
        }
        Ok(count)
    }

    /// The rows that the statement returns.
    pub(super) fn rows(
        &mut self,
        statement: &'static Statement,
        params: &[Value],
    ) -> Result<Vec<Row>, Fault> {
        let prepared = self.bound(statement, params)?;
        let mut rows = prepared.raw_query();
        let mut answer = Vec::new();
        while let Some(row) = rows.next().map_err(|error| fault_of(statement, &error))? {
            let mut values = Vec::with_capacity(statement.columns.len());
            for (position, kind) in statement.columns.iter().enumerate() {
                let cell = row
                    .get_ref(position)
                    .map_err(|error| fault_of(statement, &error))?;
                values.push(value_of(statement, position, *kind, cell)?);
            }
            answer.push(Row::new(statement, values));
        }
        Ok(answer)
    }

    /// How many parameters and columns SQLite sees in the statement.
    pub(super) fn counts(&mut self, statement: &'static Statement) -> Result<(usize, usize), Fault> {
        let prepared = self.statement(statement)?;
        Ok((prepared.parameter_count(), prepared.column_count()))
    }

    fn bound(
        &mut self,
        statement: &'static Statement,
        params: &[Value],
    ) -> Result<&mut rusqlite::Statement<'c>, Fault> {
        let prepared = self.statement(statement)?;
        for (index, value) in (1_usize..).zip(params) {
            let bound = match value {
                Value::Null => prepared.raw_bind_parameter(index, rusqlite::types::Null),
                Value::Bool(value) => prepared.raw_bind_parameter(index, value),
                Value::Int(value) => prepared.raw_bind_parameter(index, value),
                Value::Text(value) => prepared.raw_bind_parameter(index, value),
                Value::Blob(value) => prepared.raw_bind_parameter(index, value),
            };
            bound.map_err(|error| fault_of(statement, &error))?;
        }
        Ok(prepared)
    }

    fn statement(&mut self, statement: &'static Statement) -> Result<&mut rusqlite::Statement<'c>, Fault> {
        use std::collections::hash_map::Entry;
        match self.statements.entry(statement.identity()) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let text = with_question_marks(statement.sql);
                let prepared = self
                    .connection
                    .prepare(&text)
                    .map_err(|error| fault_of(statement, &error))?;
                Ok(entry.insert(prepared))
            }
        }
    }
}

fn value_of(
    statement: &'static Statement,
    position: usize,
    kind: Kind,
    cell: ValueRef<'_>,
) -> Result<Value, Fault> {
    let wrong = |what: String| Fault::Corrupt {
        statement: statement.name,
        what: format!("column {}: {what}", position.saturating_add(1)),
    };
    match (kind, cell) {
        (_, ValueRef::Null) => Ok(Value::Null),
        (Kind::Bool, ValueRef::Integer(value @ (0 | 1))) => Ok(Value::Bool(value == 1)),
        (Kind::Int, ValueRef::Integer(value)) => Ok(Value::Int(value)),
        (Kind::Text, ValueRef::Text(bytes)) => {
            let text = std::str::from_utf8(bytes).map_err(|_| wrong("the text is not UTF-8".to_owned()))?;
            Ok(Value::Text(text.to_owned()))
        }
        (Kind::Blob, ValueRef::Blob(bytes)) => Ok(Value::Blob(bytes.to_vec())),
        (kind, cell) => Err(wrong(format!("expected {kind:?}, found {:?}", cell.data_type()))),
    }
}

/// What SQLite's error means to the caller.
pub(super) fn fault_of(statement: &'static Statement, error: &rusqlite::Error) -> Fault {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Fault::Busy {
            retry_after_ms: crate::queue::RETRY_AFTER_MS,
        },
        Some(code) if is_of_the_disk(code) => Fault::Unavailable(error.to_string()),
        _ => Fault::Rejected {
            statement: statement.name,
            what: error.to_string(),
        },
    }
}

/// What SQLite's error means when it is of no statement of ours.
/// What SQLite says is wrong, without the whole text in which it is.
pub(super) fn words(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

pub(super) fn unavailable(error: &rusqlite::Error) -> Fault {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Fault::Busy {
            retry_after_ms: crate::queue::RETRY_AFTER_MS,
        },
        _ => Fault::Unavailable(words(error)),
    }
}

fn is_of_the_disk(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory
    )
}

#[cfg(test)]
mod tests {
    use super::with_question_marks;

    #[test]
    fn parameters_keep_their_numbers_and_strings_keep_their_dollars() {
        assert_eq!(
            with_question_marks("select '$1', $2 from t where a = $1 and b = '$.x'"),
            "select '$1', ?2 from t where a = ?1 and b = '$.x'"
        );
    }
}
