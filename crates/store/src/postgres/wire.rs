//! Values on the wire, and flights of statements.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{IsNull, ToSql, Type};

use crate::fault::Fault;
use crate::statement::Statement;
use crate::value::{Kind, Row, Value};

/// A parameter as it is sent: one value, or an array of the values of many.
#[derive(Debug)]
pub(super) enum Param<'a> {
    One(&'a Value),
    Many(Column<'a>),
}

/// What stands at one place in the parameters of many.
#[derive(Debug)]
pub(super) struct Column<'a> {
    kind: Kind,
    rows: Arc<[&'a [Value]]>,
    place: usize,
}

/// The parameters of a statement's form with arrays, from those of each of the many.
pub(super) fn columns<'a>(statement: &Statement, rows: impl Iterator<Item = &'a [Value]>) -> Vec<Param<'a>> {
    let rows: Arc<[&[Value]]> = rows.collect();
    let column = |(place, kind): (usize, &Kind)| {
        Param::Many(Column {
            kind: *kind,
            rows: Arc::clone(&rows),
            place,
        })
    };
    statement.params.iter().enumerate().map(column).collect()
}

type Encoded = Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        match self {
            Self::One(Value::Null) => Ok(IsNull::Yes),
            Self::One(Value::Bool(value)) => value.to_sql(ty, out),
            Self::One(Value::Int(value)) => value.to_sql(ty, out),
            Self::One(Value::Text(value)) => value.as_str().to_sql(ty, out),
            Self::One(Value::Blob(value)) => value.as_slice().to_sql(ty, out),
            Self::Many(column) => column.encode(out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // Every statement is prepared with the types of its own declaration.
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        self.to_sql(ty, out)
    }
}

impl Column<'_> {
    /// An array of one dimension as the server reads it: a head, and each value behind its length.
    ///
    /// Written here and not by the client library, which wants the values gathered in a vector first.
    fn encode(&self, out: &mut BytesMut) -> Encoded {
        let values = || {
            self.rows
                .iter()
                .map(|row| row.get(self.place).unwrap_or(&Value::Null))
        };
        let has_null = values().any(|value| *value == Value::Null);
        out.put_i32(1);
        out.put_i32(i32::from(has_null));
        out.put_u32(type_of(self.kind, false).oid());
        out.put_i32(i32::try_from(self.rows.len())?);
        out.put_i32(1);
        for value in values() {
            match value {
                Value::Null => out.put_i32(-1),
                Value::Bool(value) => put(out, &[u8::from(*value)])?,
                Value::Int(value) => put(out, &value.to_be_bytes())?,
                Value::Text(value) => put(out, value.as_bytes())?,
                Value::Blob(value) => put(out, value)?,
            }
        }
        Ok(IsNull::No)
    }
}

fn put(out: &mut BytesMut, value: &[u8]) -> Result<(), std::num::TryFromIntError> {
    out.put_i32(i32::try_from(value.len())?);
    out.put_slice(value);
    Ok(())
}

/// The type that a parameter of this kind is prepared with.
pub(super) fn type_of(kind: Kind, is_array: bool) -> Type {
    match (kind, is_array) {
        (Kind::Bool, false) => Type::BOOL,
        (Kind::Bool, true) => Type::BOOL_ARRAY,
        (Kind::Int, false) => Type::INT8,
        (Kind::Int, true) => Type::INT8_ARRAY,
        (Kind::Text, false) => Type::TEXT,
        (Kind::Text, true) => Type::TEXT_ARRAY,
        (Kind::Blob, false) => Type::BYTEA,
        (Kind::Blob, true) => Type::BYTEA_ARRAY,
    }
}

/// The row of a statement's answer, whose columns begin at `from`.
pub(super) fn row_of(
    statement: &'static Statement,
    row: &tokio_postgres::Row,
    from: usize,
) -> Result<Row, Fault> {
    let mut values = Vec::with_capacity(statement.columns.len());
    for (position, kind) in statement.columns.iter().enumerate() {
        values.push(
            value_of(*kind, row, from.saturating_add(position)).map_err(|what| Fault::Corrupt {
                statement: statement.name,
                what: format!("column {}: {what}", position.saturating_add(1)),
            })?,
        );
    }
    Ok(Row::new(statement, values))
}

pub(super) fn value_of(kind: Kind, row: &tokio_postgres::Row, index: usize) -> Result<Value, String> {
    let Some(column) = row.columns().get(index) else {
        return Err("there is no such column".to_owned());
    };
    let wrong = |error: tokio_postgres::Error| error.to_string();
    let ty = column.type_();
    if kind == Kind::Int && *ty == Type::INT4 {
        return Ok(row
            .try_get::<_, Option<i32>>(index)
            .map_err(wrong)?
            .map(i64::from)
            .into());
    }
    match kind {
        Kind::Bool if *ty == Type::BOOL => Ok(row.try_get::<_, Option<bool>>(index).map_err(wrong)?.into()),
        Kind::Int if *ty == Type::INT8 => Ok(row.try_get::<_, Option<i64>>(index).map_err(wrong)?.into()),
        Kind::Text if is_text(ty) => Ok(row.try_get::<_, Option<String>>(index).map_err(wrong)?.into()),
        Kind::Blob if *ty == Type::BYTEA => {
            Ok(row.try_get::<_, Option<Vec<u8>>>(index).map_err(wrong)?.into())
        }
        _ => Err(format!("expected {kind:?}, found {ty}; cast it in the statement")),
    }
}

/// Whether a column of this type may be read as this kind.
pub(super) fn may_be_read(kind: Kind, ty: &Type) -> bool {
    match kind {
        Kind::Bool => *ty == Type::BOOL,
        Kind::Int => *ty == Type::INT8 || *ty == Type::INT4,
        Kind::Text => is_text(ty),
        Kind::Blob => *ty == Type::BYTEA,
    }
}

fn is_text(ty: &Type) -> bool {
    *ty == Type::TEXT || *ty == Type::VARCHAR
}

/// Something sent whose answer is awaited.
pub(super) type Sent<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends all in order without waiting between them, and gives the answers in order.
pub(super) async fn flight<T>(mut sent: Vec<Sent<'_, T>>) -> Vec<T> {
    let mut early: Vec<Option<T>> = Vec::with_capacity(sent.len());
    // A statement is on its way when its future has been polled once.
    poll_fn(|context| {
        for one in sent.iter_mut().skip(early.len()) {
            early.push(match one.as_mut().poll(context) {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending => None,
            });
        }
        Poll::Ready(())
    })
    .await;
    let mut answers = Vec::with_capacity(sent.len());
    for (one, early) in sent.into_iter().zip(early) {
        answers.push(match early {
            Some(answer) => answer,
            None => one.await,
        });
    }
    answers
}
