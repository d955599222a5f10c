//! Who may import what inside the arrows, read from the text; and where a trait may stand.

use super::rust::{Source, line_of, word_positions};
use super::{File, Finding, rust_below};

/// The two seams of the platform: storage and outside parties. Everywhere else a value or a function does.
const SEAMS: &[&str] = &["crates/store/src/driver", "crates/app/src/ports"];

pub fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in rust_below(files, &["crates/connect/src/"]) {
        findings.extend(beyond_ports(file));
    }
    for file in rust_below(files, &["crates/app/src/checkout"]) {
        findings.extend(names(file, "repayment"));
    }
    for file in rust_below(files, &["crates/app/src/repayment"]) {
        findings.extend(names(file, "checkout"));
    }
    findings
}

/// A trait outside the seams.
pub fn check_traits(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in rust_below(files, &["crates/", "sim/", "bench/"]) {
        if SEAMS.iter().any(|seam| file.path.starts_with(seam)) {
            continue;
        }
        for (_, line) in word_positions(&Source::of(&file.text).code, "trait") {
            let what = "a trait stands only at the two seams, `store::driver` and `app::ports`";
            findings.push(Finding::new(&file.path, line, what));
        }
    }
    findings
}

/// What a connector names of `app` other than its ports.
fn beyond_ports(file: &File) -> Vec<Finding> {
    let code = Source::of(&file.text).code;
    let mut findings = Vec::new();
    for (at, line) in word_positions(&code, "fenqi_app") {
        let rest = &code[at + "fenqi_app".len()..];
        let is_port = rest.trim_start().strip_prefix("::").is_some_and(|rest| {
            let rest = rest.trim_start();
            rest.starts_with("ports")
                && !rest["ports".len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
        });
        if !is_port {
            findings.push(Finding::new(
                &file.path,
                line,
                "a connector names only `fenqi_app::ports`",
            ));
        }
    }
    findings
}

/// Where a file names the module `other` of its own crate: in a path, or in a `use`.
fn names(file: &File, other: &str) -> Vec<Finding> {
    let code = Source::of(&file.text).code;
    let in_use = |at: usize| {
        let statement = code[..at].rfind(';').map_or(0, |end| end + 1);
        let words = code[statement..at].trim_start();
        let words = words
            .strip_prefix("pub ")
            .or_else(|| words.strip_prefix("pub(crate) "))
            .unwrap_or(words);
        words.starts_with("use ")
    };
    let mut findings = Vec::new();
    for (at, _) in word_positions(&code, other) {
        let is_path = code[at + other.len()..].starts_with("::")
            || code[..at].ends_with("crate::")
            || code[..at].ends_with("super::");
        if is_path || in_use(at) {
            let what = format!("checkout and repayment never import each other, but this names `{other}`");
            findings.push(Finding::new(&file.path, line_of(&code, at), what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn a_connector_may_name_ports() {
        let good = file(
            "crates/connect/src/bank.rs",
            "use fenqi_app::ports::{Bank, Debit};\n// fenqi_app::jobs\n",
        );
        assert_eq!(check(&[good]), []);
    }

    #[test]
    fn a_connector_may_not_name_anything_else_of_app() {
        for bad in [
            "use fenqi_app::jobs;",
            "use fenqi_app::{ports, App};",
            "fn f(a: fenqi_app::portside::A) {}",
        ] {
            assert_eq!(
                check(&[file("crates/connect/src/bank.rs", bad)]).len(),
                1,
                "{bad}"
            );
        }
    }

    #[test]
    fn checkout_and_repayment_do_not_meet() {
        let bad = file(
            "crates/app/src/checkout/confirm.rs",
            "use crate::{ports,\n repayment};\n",
        );
        assert_eq!(check(&[bad]).first().map(|finding| finding.line), Some(2));
        let bad = file(
            "crates/app/src/repayment/pay.rs",
            "fn f() { crate::checkout::confirm() }",
        );
        assert_eq!(check(&[bad]).len(), 1);
    }

    #[test]
    fn a_field_called_repayment_is_no_import() {
        let good = file(
            "crates/app/src/checkout/confirm.rs",
            "/// See repayment::pay.\nstruct A { repayment: u8 }",
        );
        assert_eq!(check(&[good]), []);
    }

    #[test]
    fn a_trait_stands_only_at_a_seam() {
        let seam = file("crates/store/src/driver.rs", "pub trait Driver {}");
        let other = file("crates/app/src/app.rs", "pub trait Clock {}\n// a trait\n");
        assert_eq!(check_traits(&[seam, other]).len(), 1);
    }
}
