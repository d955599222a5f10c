//! The scenarios and the page about their language are read as they stand in the repository.

use std::path::{Path, PathBuf};

use fenqi_story::Scenario;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_line_that_the_page_shows_is_read() {
    let page = std::fs::read_to_string(root().join("docs/reference/story.md")).unwrap();
    let mut shown = String::new();
    let mut is_shown = false;
    for line in page.lines() {
        // Lines that are not shown become empty, so that a mistake has the page's own line number.
        if line.starts_with("```") {
            is_shown = line == "```story";
        } else if is_shown {
            shown.push_str(line);
        }
        shown.push('\n');
    }
    let scenario = Scenario::parse("docs/reference/story.md", &shown).unwrap_or_else(|m| panic!("{m:#?}"));
    assert!(scenario.steps().count() > 60, "the page shows every form");
}

#[test]
fn every_scenario_is_read_and_ends() {
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("sim/scenarios")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let scenario = Scenario::parse(&name, &text).unwrap_or_else(|mistakes| {
            let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            panic!("{}", shown.join("\n"))
        });
        let last = scenario.steps().last().map(|s| s.command.clone());
        assert_eq!(last, Some(fenqi_story::language::Command::End), "{name}");
        count += 1;
    }
    assert!(count >= 17, "a scenario is missing: {count}");
}
