//! Every refusal can be said in Chinese and in English.
//!
//! The codes are read from `Refusal::code` in `crates/domain/src/refusal.rs` or below it, the sentences from
//! `crates/app/src/texts/refusals.toml`: a section `[code]` with the keys `zh` and `en`.

use super::rust::Source;
use super::{File, Finding, rust_below};
use std::collections::{HashMap, HashSet};

const CODES: &str = "crates/domain/src/refusal";
const TEXTS: &str = "crates/app/src/texts/refusals.toml";
const LANGUAGES: [&str; 2] = ["zh", "en"];

pub fn check(files: &[File]) -> Vec<Finding> {
    let find = |path: &str| files.iter().find(|file| file.path == path);
    let refusals = rust_below(files, &[CODES]);
    let codes: Vec<String> = refusals.flat_map(|file| codes(&file.text)).collect();
    if codes.is_empty() {
        return vec![Finding::new(
            CODES,
            0,
            "no code was found in `impl Refusal`, `fn code`",
        )];
    }
    let Some(texts) = find(TEXTS) else {
        return vec![Finding::new(
            TEXTS,
            0,
            format!(
                "{} refusals need a section `[code]` with `zh` and `en` here",
                codes.len()
            ),
        )];
    };
    missing(&codes, &sections(&texts.text))
}

/// The strings in the body of `fn code` of `impl Refusal`.
fn codes(text: &str) -> Vec<String> {
    let source = Source::of(text);
    let Some(start) = source.code.find("impl Refusal") else {
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

fn missing(codes: &[String], sections: &HashMap<String, (usize, HashSet<String>)>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for code in codes {
        for language in LANGUAGES {
            let section = sections.get(code);
            if !section.is_some_and(|(_, keys)| keys.contains(language)) {
                let line = section.map_or(0, |(line, _)| *line);
                findings.push(Finding::new(
                    TEXTS,
                    line,
                    format!("the refusal `{code}` has no text `{language}`"),
                ));
            }
        }
    }
    for (name, (line, _)) in sections {
        if !codes.contains(name) {
            findings.push(Finding::new(
                TEXTS,
                *line,
                format!("there is no refusal `{name}`"),
            ));
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
        let findings = check(&[
            file("crates/domain/src/refusal/properties.rs", TWO),
            file(TEXTS, texts),
        ]);
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
        assert_eq!(
            check(&[file("crates/domain/src/refusal.rs", "pub enum Refusal {}")]).len(),
            1
        );
    }

    #[test]
    fn no_file_of_texts_is_a_finding() {
        assert_eq!(
            check(&[file("crates/domain/src/refusal/properties.rs", TWO)]).len(),
            1
        );
    }
}
