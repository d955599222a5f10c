//! What the README shows of a scenario is what stands in it: a line in a `text` block is a line of the scenario that
//! the README names before it.

use super::{File, Finding};

const PAGE: &str = "README.md";
const SCENARIOS: &str = "sim/scenarios/";

pub fn check(files: &[File]) -> Vec<Finding> {
    let Some(page) = files.iter().find(|file| file.path == PAGE) else {
        return Vec::new();
    };
    let named = page
        .text
        .split(['(', ')'])
        .filter(|word| word.starts_with(SCENARIOS));
    let told: Vec<&File> = named
        .filter_map(|path| files.iter().find(|file| file.path == path))
        .collect();
    let mut findings = Vec::new();
    let mut is_shown = false;
    for (at, line) in page.text.lines().enumerate() {
        if line.starts_with("```") {
            is_shown = line == "```text";
        } else if is_shown
            && !told
                .iter()
                .any(|file| file.text.lines().any(|known| known == line))
        {
            findings.push(Finding::new(
                PAGE,
                at + 1,
                "this line stands in no scenario that the page links to: copy it anew",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_line_that_the_scenario_no_longer_has_is_found() {
        let page =
            "[A](sim/scenarios/a.txt)\n```text\nann pays\n  -> paid 1.00\n```\n```sh\ncargo run\n```\n";
        let story = file("sim/scenarios/a.txt", "ann pays\n  -> paid 2.00\n");
        let found = check(&[file(PAGE, page), story]);
        let lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [4]);
    }

    #[test]
    fn a_page_that_shows_the_scenario_as_it_stands_is_left_alone() {
        let page = "[A](sim/scenarios/a.txt)\n```text\nann pays\n```\n";
        assert_eq!(
            check(&[file(PAGE, page), file("sim/scenarios/a.txt", "ann pays\n")]),
            []
        );
    }
}
