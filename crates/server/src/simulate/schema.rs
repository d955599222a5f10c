//! What a case file may hold: the JSON Schema of `docs/reference/simulate.schema.json`, and what of a file it does not know.
//!
//! The schema itself is what files are held against, so the two cannot differ. It uses few keywords, and a test fails if
//! it comes to use one that is not understood here; the libraries that know all of JSON Schema bring thirty crates.

use serde_json::{Map, Value};

/// The schema, for editors and for `fenqi simulate --schema`.
pub const TEXT: &str = include_str!("../../../../docs/reference/simulate.schema.json");

/// Something in a file that the schema does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: a JSON pointer.
    pub at: String,
    /// What is wrong, and what is allowed.
    pub why: String,
    /// What kind of finding it is.
    pub kind: Kind,
}

impl Finding {
    /// Whether it is within figures that are expected.
    pub fn is_of_expectation(&self) -> bool {
        self.at.contains("/expect/")
    }
}

/// Kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A field that nobody reads: the rest can be played without it.
    Unread,
    /// A text where a list must stand, and the like: whatever was meant, it is not what would be read.
    WrongType,
    /// A word or a day that is not known, or a field that is missing: whether it matters is for its reader to say.
    Unknown,
}

/// The names of all operations.
///
/// # Errors
/// A sentence if the schema itself cannot be read, which a test excludes.
pub fn operations() -> Result<Vec<String>, String> {
    let schema: Value = serde_json::from_str(TEXT).map_err(|e| format!("the schema is broken: {e}"))?;
    let steps = schema.pointer("/$defs/step/oneOf").and_then(Value::as_array);
    let named = steps.into_iter().flatten().filter_map(fixed);
    Ok(named
        .filter_map(|(_, name)| name.as_str().map(str::to_owned))
        .collect())
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.at, self.why)
    }
}

/// Everything in a file that the schema does not allow, in the order of the file.
///
/// # Errors
/// A sentence if the schema itself cannot be read, which a test excludes.
pub fn findings(file: &Value) -> Result<Vec<Finding>, String> {
    let schema: Value = serde_json::from_str(TEXT).map_err(|e| format!("the schema is broken: {e}"))?;
    let mut check = Check {
        schema: &schema,
        found: Vec::new(),
    };
    check.value(&schema, file, "");
    Ok(check.found)
}

/// A walk through a file beside its schema.
struct Check<'a> {
    schema: &'a Value,
    found: Vec<Finding>,
}

impl<'a> Check<'a> {
    fn value(&mut self, rule: &'a Value, value: &Value, at: &str) {
        if let Some(name) = rule.get("$ref").and_then(Value::as_str) {
            let pointer = name.trim_start_matches('#');
            if let Some(named) = self.schema.pointer(pointer) {
                self.value(named, value, at);
            }
        }
        if let Some(branches) = rule.get("anyOf").and_then(Value::as_array) {
            self.any_of(branches, value, at);
        }
        if let Some(branches) = rule.get("oneOf").and_then(Value::as_array) {
            self.one_of(branches, value, at);
        }
        if let Some(types) = rule.get("type") {
            let allowed = words(types);
            if !allowed.iter().any(|name| is_of(value, name)) {
                self.found.push(Finding {
                    at: at.to_owned(),
                    why: format!("is {value:.60}; write {}", allowed.join(" or ")),
                    // What is null is left out.
                    kind: if value.is_null() {
                        Kind::Unknown
                    } else {
                        Kind::WrongType
                    },
                });
                return;
            }
        }
        let allowed = rule.get("enum").and_then(Value::as_array);
        // A number says what its digits do as a text.
        let is_said = |all: &&Vec<Value>| {
            all.contains(value) || value.is_number() && all.contains(&Value::String(value.to_string()))
        };
        if let Some(allowed) = allowed.filter(|all| !is_said(all)) {
            self.wrong(at, format!("is {value}; known are {}", listed(allowed)));
        }
        if let Some(only) = rule.get("const").filter(|only| *only != value) {
            self.wrong(at, format!("is {value}; write {only}"));
        }
        if let (Some("date"), Some(text)) = (rule.get("format").and_then(Value::as_str), value.as_str())
            && text.parse::<jiff::civil::Date>().is_err()
        {
            self.wrong(at, format!("is {value}; write a day such as 2024-01-31"));
        }
        if let Some(items) = value.as_array()
            && let Some(rule) = rule.get("items")
        {
            for (place, item) in items.iter().enumerate() {
                self.value(rule, item, &format!("{at}/{place}"));
            }
        }
        if let (Some(fields), Some(known)) = (value.as_object(), properties(rule)) {
            self.fields(rule, known, fields, at);
        }
    }

    fn fields(
        &mut self,
        rule: &'a Value,
        known: &'a Map<String, Value>,
        fields: &Map<String, Value>,
        at: &str,
    ) {
        let needed = rule.get("required").map(words).unwrap_or_default();
        for name in needed.iter().filter(|name| !fields.contains_key(**name)) {
            self.wrong(&format!("{at}/{name}"), "is missing".to_owned());
        }
        let is_closed = rule.get("additionalProperties") == Some(&Value::Bool(false));
        for (name, value) in fields {
            let place = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            match known.get(name) {
                Some(rule) => self.value(rule, value, &place),
                None if is_closed => self.found.push(Finding {
                    at: place,
                    why: format!("is no field that is read here{}", meant(name, known)),
                    kind: Kind::Unread,
                }),
                None => {}
            }
        }
    }

    /// One of several forms: the first that nothing is found in, else what is found in the last.
    fn any_of(&mut self, branches: &'a [Value], value: &Value, at: &str) {
        let before = self.found.len();
        for (place, branch) in branches.iter().enumerate() {
            self.value(branch, value, at);
            let is_last = place + 1 == branches.len();
            if self.found.len() == before || is_last {
                return;
            }
            self.found.truncate(before);
        }
    }

    /// One of several kinds of object: each is told by a field with a fixed word, or else by a field that it must have.
    fn one_of(&mut self, branches: &'a [Value], value: &Value, at: &str) {
        if let Some(branch) = branches.iter().find(|branch| is_kind(branch, value)) {
            self.value(branch, value, at);
            return;
        }
        let named = branches
            .iter()
            .find_map(|b| fixed(b).map(|(name, _)| name))
            .unwrap_or_default();
        let kinds: Vec<Value> = branches
            .iter()
            .filter_map(|b| fixed(b).map(|(_, word)| word.clone()))
            .collect();
        let found = value.get(named).unwrap_or(&Value::Null);
        self.wrong(
            &format!("{at}/{named}"),
            format!("is {found}; known are {}", listed(&kinds)),
        );
    }

    fn wrong(&mut self, at: &str, why: String) {
        self.found.push(Finding {
            at: at.to_owned(),
            why,
            kind: Kind::Unknown,
        });
    }
}

fn properties(rule: &Value) -> Option<&Map<String, Value>> {
    rule.get("properties").and_then(Value::as_object)
}

/// The field of a kind of object whose word is fixed, and that word.
fn fixed(branch: &Value) -> Option<(&str, &Value)> {
    let mut fields = properties(branch)?.iter();
    fields.find_map(|(name, rule)| rule.get("const").map(|word| (name.as_str(), word)))
}

fn is_kind(branch: &Value, value: &Value) -> bool {
    match fixed(branch) {
        Some((name, word)) => value.get(name) == Some(word),
        None => {
            let needed = branch.get("required").map(words).unwrap_or_default();
            needed.iter().all(|name| value.get(*name).is_some())
        }
    }
}

/// One word, or a list of words.
fn words(value: &Value) -> Vec<&str> {
    match value {
        Value::String(word) => vec![word],
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn listed(values: &[Value]) -> String {
    let all: Vec<String> = values
        .iter()
        .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
        .collect();
    all.join(", ")
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        _ => false,
    }
}

/// Which known field a name is probably meant to be.
fn meant(name: &str, known: &Map<String, Value>) -> String {
    let near = known
        .keys()
        .map(|k| (strsim::jaro_winkler(name, k), k))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((likeness, near)) if likeness > 0.85 => format!("; did you mean {near}?"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Gathers the keywords of a schema, and the names that it refers to.
    fn keywords(rule: &Value, found: &mut BTreeSet<String>, refs: &mut BTreeSet<String>) {
        let Some(rule) = rule.as_object() else { return };
        for (keyword, value) in rule {
            found.insert(keyword.clone());
            match keyword.as_str() {
                "properties" | "$defs" => {
                    let named = value.as_object().into_iter().flatten();
                    named.for_each(|(_, v)| keywords(v, found, refs));
                }
                "oneOf" | "anyOf" => {
                    let branches = value.as_array().into_iter().flatten();
                    branches.for_each(|v| keywords(v, found, refs));
                }
                "items" => keywords(value, found, refs),
                "$ref" => {
                    refs.extend(value.as_str().map(str::to_owned));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn the_schema_uses_no_keyword_that_is_not_understood_here() {
        let schema: Value = serde_json::from_str(TEXT).unwrap();
        let (mut found, mut refs) = (BTreeSet::new(), BTreeSet::new());
        keywords(&schema, &mut found, &mut refs);
        let understood = [
            "$defs",
            "$ref",
            "$schema",
            "additionalProperties",
            "anyOf",
            "const",
            "description",
            "enum",
            "format",
            "items",
            "oneOf",
            "properties",
            "required",
            "title",
            "type",
        ];
        let unknown: Vec<&String> = found
            .iter()
            .filter(|k| !understood.contains(&k.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        for name in refs {
            assert!(schema.pointer(name.trim_start_matches('#')).is_some(), "{name}");
        }
    }

    #[test]
    fn what_is_found_names_the_place_and_what_is_allowed() {
        let file = serde_json::json!({ "cases": [{
            "id": "mine",
            "inputs": { "principal": 300, "number_of_instalments": 3, "days_in_year": "366", "submitted_on": "2023-02-29" },
            "sequence": [
                { "op": "repay" },
                { "op": "repayment", "date": "2024-01-31", "amount": "1.00", "amont": "2.00" },
                { "expect": {} },
            ],
        }]});
        let found: Vec<String> = findings(&file).unwrap().iter().map(Finding::to_string).collect();
        let begins = [
            "/cases/0/inputs/number_of_installments: is missing",
            "/cases/0/inputs/days_in_year: is \"366\"; known are 360, 364, 365, ACTUAL",
            "/cases/0/inputs/number_of_instalments: is no field that is read here; did you mean number_of_installments?",
            "/cases/0/inputs/principal: is 300; write string",
            "/cases/0/inputs/submitted_on: is \"2023-02-29\"; write a day such as 2024-01-31",
            "/cases/0/sequence/0/op: is \"repay\"; known are set_business_date, create_loan",
            "/cases/0/sequence/1/amont: is no field that is read here; did you mean amount?",
        ];
        assert_eq!(found.len(), begins.len(), "{found:#?}");
        for (found, begins) in found.iter().zip(begins) {
            assert!(found.starts_with(begins), "{found}");
        }
    }
}
