//! The arrows between crates, read from cargo's own metadata.

use super::{File, Finding};
use crate::shell;
use serde_json::Value;

/// Which crates of ours each crate may name. `sim` and `xtask` may name any.
const ARROWS: &[(&str, &[&str])] = &[
    ("fenqi-domain", &[]),
    ("fenqi-store", &["fenqi-domain"]),
    ("fenqi-app", &["fenqi-domain", "fenqi-store"]),
    ("fenqi-connect", &["fenqi-domain", "fenqi-app"]),
    ("fenqi-web", &["fenqi-domain", "fenqi-app"]),
    ("fenqi-story", &["fenqi-domain", "fenqi-app"]),
    (
        "fenqi-server",
        &[
            "fenqi-domain",
            "fenqi-store",
            "fenqi-app",
            "fenqi-connect",
            "fenqi-web",
            "fenqi-story",
        ],
    ),
    ("fenqi-sim", &["*"]),
    ("xtask", &["*"]),
];

pub fn check(_: &[File]) -> Vec<Finding> {
    let mut cargo = shell::cargo();
    let asked = cargo.args(["metadata", "--format-version", "1", "--no-deps"]);
    let answer = shell::output(asked)
        .and_then(|text| serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}")));
    match answer {
        Ok(metadata) => wrong_arrows(&metadata),
        Err(reason) => vec![Finding::new("Cargo.toml", 0, reason)],
    }
}

fn wrong_arrows(metadata: &Value) -> Vec<Finding> {
    let packages = metadata["packages"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let ours: Vec<String> = packages.iter().map(name).collect();
    let mut findings = Vec::new();
    for package in packages {
        let from = name(package);
        let Some((_, allowed)) = ARROWS.iter().find(|(crate_name, _)| *crate_name == from) else {
            findings.push(Finding::new(
                &from,
                0,
                "this crate has no line in xtask/src/tidy/arrows.rs: say what it may name",
            ));
            continue;
        };
        for dependency in package["dependencies"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
        {
            let to = name(dependency);
            let is_allowed = allowed.contains(&"*") || allowed.contains(&to.as_str());
            if ours.contains(&to) && !is_allowed {
                let may = if allowed.is_empty() {
                    "no crate of ours".to_owned()
                } else {
                    allowed.join(", ")
                };
                findings.push(Finding::new(&from, 0, format!("names {to}, but may name {may}")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, dependencies: &[&str]) -> Value {
        let dependencies: Vec<_> = dependencies.iter().map(|name| json!({ "name": name })).collect();
        json!({ "name": name, "dependencies": dependencies })
    }

    #[test]
    fn the_arrows_of_the_design_pass() {
        let metadata = json!({ "packages": [
            package("fenqi-domain", &["jiff"]),
            package("fenqi-store", &["fenqi-domain", "rusqlite"]),
            package("fenqi-sim", &["fenqi-store"]),
        ]});
        assert_eq!(wrong_arrows(&metadata), []);
    }

    #[test]
    fn the_web_may_not_name_the_store() {
        let metadata = json!({ "packages": [
            package("fenqi-store", &[]),
            package("fenqi-web", &["fenqi-store"]),
        ]});
        let findings = wrong_arrows(&metadata);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].what.contains("names fenqi-store"), "{findings:?}");
    }

    #[test]
    fn the_domain_names_nobody_of_ours_not_even_for_its_tests() {
        let metadata =
            json!({ "packages": [package("fenqi-app", &[]), package("fenqi-domain", &["fenqi-app"])]});
        assert_eq!(wrong_arrows(&metadata).len(), 1);
    }

    #[test]
    fn a_new_crate_must_say_what_it_names() {
        assert_eq!(
            wrong_arrows(&json!({ "packages": [package("fenqi-new", &[])]})).len(),
            1
        );
    }
}
