//! Every no can be said in Chinese and in English: each refusal, each mistake in a command, each other answer.
//!
//! The codes are read from `fn code` of the types that answer, the sentences from the files below `crates/app/src/texts`: a
//! section `[code]` with the keys `zh` and `en`, and for a mistake `[code.helps]` with what would help. A field that a use
//! case points to, as `"/amount"`, has a word in `words.toml`, so that nobody reads a field's name.

use super::rust::Source;
use super::{File, Finding, rust_below};
use std::collections::{HashMap, HashSet};

/// Where answers have their codes, and where their sentences stand.
struct Answers {
    /// What one is called.
    name: &'static str,
    /// The files below this path, and the types in them.
    code: &'static [(&'static str, &'static str)],
    texts: &'static str,
    /// What each code has a section for.
    parts: &'static [&'static str],
}

const REFUSALS: Answers = Answers {
    name: "refusal",
    code: &[("crates/domain/src/refusal", "Refusal")],
    texts: "crates/app/src/texts/refusals.toml",
    parts: &[""],
};
const MISTAKES: Answers = Answers {
    name: "mistake",
    code: &[
        ("crates/app/src/mistake", "Mistake"),
        ("crates/app/src/outcome", "Denied"),
    ],
    texts: "crates/app/src/texts/mistakes.toml",
    parts: &["", ".helps"],
};
const LANGUAGES: [&str; 2] = ["zh", "en"];

/// Where what fields are called stands, and who points to them.
const WORDS: &str = "crates/app/src/texts/words.toml";
const USE_CASES: &str = "crates/app/src/";

pub fn check(files: &[File]) -> Vec<Finding> {
    let answers = [REFUSALS, MISTAKES];
    let said = answers.iter().flat_map(|answers| check_one(files, answers));
    said.chain(unnamed_fields(files)).collect()
}

/// The fields that a use case points to and that have no word.
fn unnamed_fields(files: &[File]) -> Vec<Finding> {
    let words = files.iter().find(|file| file.path == WORDS);
    let sections = words.map(|words| sections(&words.text)).unwrap_or_default();
    let mut findings = Vec::new();
    for file in rust_below(files, &[USE_CASES]) {
        let literals = Source::of(&file.text).literals;
        let named = literals
            .iter()
            .filter_map(|literal| Some((literal.line, field_of(&literal.text)?)));
        let unnamed = named.filter(|(_, field)| !sections.contains_key(&format!("field.{field}")));
        findings.extend(unnamed.map(|(line, field)| {
            let what = format!("the field `{field}` has no section `[field.{field}]` in {WORDS}");
            Finding::new(&file.path, line, what)
        }));
    }
    findings
}

/// The last name of a JSON pointer that a text is, if it is one.
fn field_of(text: &str) -> Option<&str> {
    let parts = text.strip_prefix('/')?.split('/');
    let is_part = |part: &&str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || "_{}0123456789".contains(c))
    };
    let parts: Vec<&str> = parts.collect();
    if !parts.iter().all(is_part) {
        return None;
    }
    let is_name = |part: &&&str| part.starts_with(|c: char| c.is_ascii_lowercase());
    parts.last().filter(is_name).copied()
}

fn check_one(files: &[File], answers: &Answers) -> Vec<Finding> {
    let mut sections_needed = Vec::new();
    for (path, kind) in answers.code {
        let paths = [*path];
        let own = rust_below(files, &paths);
        let codes: Vec<String> = own.flat_map(|file| codes(&file.text, kind)).collect();
        if codes.is_empty() {
            let what = format!("no code was found in `impl {kind}`, `fn code`");
            return vec![Finding::new(path, 0, what)];
        }
        let sections = codes
            .iter()
            .flat_map(|code| answers.parts.iter().map(move |part| format!("{code}{part}")));
        sections_needed.extend(sections);
    }
    let Some(texts) = files.iter().find(|file| file.path == answers.texts) else {
        let needed = sections_needed.len();
        let what = format!("{needed} sections with `zh` and `en` are needed here");
        return vec![Finding::new(answers.texts, 0, what)];
    };
    missing(answers, &sections_needed, &sections(&texts.text))
}

/// The strings in the body of `fn code` of a type.
fn codes(text: &str, kind: &str) -> Vec<String> {
    let source = Source::of(text);
    let Some(start) = source.code.find(&format!("impl {kind} {{")) else {
        return Vec::new();
    };
    let Some(method) = source.code[start..].find("fn code") else {
        return Vec::new();
    };
    let first = super::rust::line_of(&source.code, start + method);
    let length = source
        .functions()
        .iter()
        .find(|function| function.line == first)
        .map_or(0, |f| f.lines);
    let inside = source
        .literals
        .iter()
        .filter(|literal| (first..first + length).contains(&literal.line));
    inside.map(|literal| literal.text.clone()).collect()
}

/// The sections of the text file: their line, and which keys have a text that is not empty.
fn sections(text: &str) -> HashMap<String, (usize, HashSet<String>)> {
    let mut sections: HashMap<String, (usize, HashSet<String>)> = HashMap::new();
    let mut current = String::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            current = name.to_owned();
            sections
                .entry(current.clone())
                .or_insert((at + 1, HashSet::new()));
        } else if let Some((key, value)) = line.split_once('=')
            && value.trim().len() > 2
            && let Some((_, keys)) = sections.get_mut(&current)
        {
            keys.insert(key.trim().to_owned());
        }
    }
    sections
}

fn missing(
    answers: &Answers,
    codes: &[String],
    sections: &HashMap<String, (usize, HashSet<String>)>,
) -> Vec<Finding> {
    let (name, texts) = (answers.name, answers.texts);
    let mut findings = Vec::new();
    for code in codes {
        for language in LANGUAGES {
            let section = sections.get(code);
            if !section.is_some_and(|(_, keys)| keys.contains(language)) {
                let line = section.map_or(0, |(line, _)| *line);
                let what = format!("the {name} `{code}` has no text `{language}`");
                findings.push(Finding::new(texts, line, what));
            }
        }
    }
    for (section, (line, _)) in sections {
        if !codes.contains(section) {
            let what = format!("there is no {name} `{section}`");
            findings.push(Finding::new(texts, *line, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    const TWO: &str = "impl Capability { fn code(&self) -> &str { \"offer\" } }\nimpl Refusal {\n  fn code(&self) -> &str {\n    \
        match self { A => \"limit_exhausted\",\n B => \"quote_used\" }\n  }\n}\nconst C: &str = \"other\";";

    fn found(texts: &str) -> Vec<String> {
        let files = [
            file("crates/domain/src/refusal/properties.rs", TWO),
            file(REFUSALS.texts, texts),
        ];
        let findings = check_one(&files, &REFUSALS);
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn two_texts_for_each_code_pass() {
        let texts = "[limit_exhausted]\nzh = \"额度已用完\"\nen = \"Used up\"\n[quote_used]\nzh = \"已用\"\nen = \"Used\"\n";
        assert_eq!(found(texts), [] as [&str; 0]);
    }

    #[test]
    fn a_missing_an_empty_and_a_surplus_text_are_found() {
        let texts = "[limit_exhausted]\nzh = \"\"\nen = \"Used up\"\n[quote_use]\nzh = \"已用\"\n";
        let found = found(texts);
        assert!(
            found.contains(&"the refusal `limit_exhausted` has no text `zh`".to_owned()),
            "{found:?}"
        );
        assert!(
            found.contains(&"the refusal `quote_used` has no text `en`".to_owned()),
            "{found:?}"
        );
        assert!(
            found.contains(&"there is no refusal `quote_use`".to_owned()),
            "{found:?}"
        );
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn no_codes_at_all_is_a_finding() {
        let none = [file("crates/domain/src/refusal.rs", "pub enum Refusal {}")];
        assert_eq!(check_one(&none, &REFUSALS).len(), 1);
        assert_eq!(check_one(&none, &MISTAKES).len(), 1);
    }

    #[test]
    fn no_file_of_texts_is_a_finding() {
        let codes = [file("crates/domain/src/refusal/properties.rs", TWO)];
        assert_eq!(check_one(&codes, &REFUSALS).len(), 1);
    }

    #[test]
    fn a_field_that_has_no_word_is_found() {
        let uses = file(
            "crates/app/src/pay.rs",
            "fn f() { of(\"/amount\"); of(\"/lines/{index}/sku\"); of(\"/items/{index}\"); of(\"a/b\"); of(\"/A b\"); }",
        );
        let words = file(WORDS, "[field.amount]\nzh = \"金额\"\nen = \"the amount\"\n");
        let found: Vec<String> = unnamed_fields(&[uses, words])
            .into_iter()
            .map(|finding| finding.what)
            .collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("the field `sku` has no section"),
            "{found:?}"
        );
    }

    #[test]
    fn a_mistake_needs_what_helps_as_well() {
        let code = |kind: &str, code: &str| {
            format!("impl {kind} {{\n  fn code(&self) -> &str {{\n    \"{code}\"\n  }}\n}}\n")
        };
        let texts = "[missing]\nzh = \"缺少\"\nen = \"Missing\"\n[busy]\nzh = \"忙\"\nen = \"Busy\"\n\
                     [busy.helps]\nzh = \"再试\"\nen = \"again\"\n";
        let files = [
            file("crates/app/src/mistake.rs", &code("Mistake", "missing")),
            file("crates/app/src/outcome.rs", &code("Denied", "busy")),
            file(MISTAKES.texts, texts),
        ];
        let found: Vec<String> = check_one(&files, &MISTAKES)
            .into_iter()
            .map(|finding| finding.what)
            .collect();
        assert_eq!(
            found,
            [
                "the mistake `missing.helps` has no text `zh`",
                "the mistake `missing.helps` has no text `en`"
            ]
        );
    }
}
