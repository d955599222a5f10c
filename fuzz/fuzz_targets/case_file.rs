//! The reader of case files: whatever the bytes say, they are read, played and explained, or told what is wrong.
#![no_main]

use fenqi_app::texts::Language;
use fenqi_server::simulate::{File, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|content: &str| {
    let Ok(file) = File::read(content) else { return };
    let Ok(lines) = file.play(None) else { return };
    for line in &lines {
        assert!(!text(line).is_empty());
        let Some(id) = line.get("id").and_then(|id| id.as_str()) else {
            continue;
        };
        match file.explain(id) {
            Ok(told) => assert!(told.text(Language::Zh).starts_with("# ")),
            Err(why) => assert!(!why.contains("explained by figures"), "{why}"),
        }
    }
});
