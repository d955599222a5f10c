//! Text and JSON from outside, read in one way: UTF-8 with or without its mark, and no key of an object twice.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The text that bytes are, without the mark that some editors put before it.
///
/// # Errors
/// What the bytes are instead, and what to do about it.
pub fn text(bytes: &[u8]) -> Result<&str, String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("it is UTF-16; save it as UTF-8".to_owned());
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.iter().take(error.valid_up_to());
        let line = before.filter(|byte| **byte == b'\n').count().saturating_add(1);
        format!("line {line} holds a byte that is not UTF-8; save it as UTF-8")
    })
}

/// A value as JSON.
///
/// # Errors
/// What is no JSON, with its line and column; of a key that stands twice in its object, the pointer to it.
pub fn json(text: &str) -> Result<Value, String> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Node(String::new())
        .deserialize(&mut reader)
        .map_err(|e| e.to_string())?;
    reader.end().map_err(|e| e.to_string())?;
    Ok(value)
}

/// A value at a place, which its pointer names.
struct Node(String);

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Node(format!("{}/{}", self.0, list.len())))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let at = format!("{}/{}", self.0, name.replace('~', "~0").replace('/', "~1"));
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("{at}: stands twice; one is allowed;")));
            }
            let value = fields.next_value_seed(Node(at))?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_refused_with_its_place() {
        let error = json(r#"{"cases": [{"id": "a", "inputs": {"a/b": "1", "a/b": "2"}}]}"#).unwrap_err();
        assert!(
            error.starts_with("/cases/0/inputs/a~1b: stands twice; one is allowed; at line 1 column"),
            "{error}"
        );
        let text = r#"{"a": [null, true, -1, 2, 0.5, "x", {"a": {}}], "b": 18446744073709551615}"#;
        assert_eq!(json(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        assert!(json("{} {}").unwrap_err().contains("trailing characters"));
        let deep = "[".repeat(1_000);
        assert!(json(&deep).unwrap_err().contains("recursion limit"));
    }

    #[test]
    fn text_of_another_encoding_is_named() {
        assert_eq!(text(b"\xef\xbb\xbf{}"), Ok("{}"));
        assert_eq!(text("中文".as_bytes()), Ok("中文"));
        for bytes in [&b"\xff\xfe{\0}\0"[..], b"\xfe\xff\0{\0}"] {
            assert_eq!(text(bytes), Err("it is UTF-16; save it as UTF-8".to_owned()));
        }
        let gbk = text(b"{}\n\xb7\xd6").unwrap_err();
        assert_eq!(gbk, "line 2 holds a byte that is not UTF-8; save it as UTF-8");
    }
}
