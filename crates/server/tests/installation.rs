//! The commands that look at an installation change nothing of it, and say what to do.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_macros,
    reason = "a test that cannot go on says so, and why it was skipped"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use fenqi_store::{Postgres, PostgresOptions, create_schema, drop_schema};

/// A folder that is gone at the end of its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("fenqi-installation-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn database(&self) -> String {
        format!("sqlite:{}", self.0.join("fenqi.db").display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs `fenqi` with these arguments and keys.
fn fenqi(arguments: &[&str], keys: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fenqi"));
    command
        .args(arguments)
        .env_remove("FENQI_KEY")
        .env_remove("FENQI_INDEX_KEY");
    command.envs(keys.iter().copied()).output().unwrap()
}

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&text).into_owned()
}

fn files(folder: &Path) -> Vec<String> {
    let read = std::fs::read_dir(folder).unwrap();
    read.map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_store_that_is_not_there_is_not_made_by_looking_for_it() {
    let folder = Folder::new();
    for command in ["verify", "doctor", "day"] {
        let output = fenqi(&[command, "--database", &folder.database()], &[]);
        let said = said(&output);
        assert!(!output.status.success());
        assert!(
            said.contains("there is no store") && said.contains("fenqi migrate"),
            "{said}"
        );
    }
    assert_eq!(files(&folder.0), [""; 0]);
}

#[test]
fn a_sqlite_store_without_a_schema_is_told_and_left_as_it_is() {
    let folder = Folder::new();
    std::fs::write(folder.0.join("fenqi.db"), b"").unwrap();
    for command in ["verify", "doctor"] {
        let output = fenqi(&[command, "--database", &folder.database()], &[]);
        let said = said(&output);
        assert!(!output.status.success());
        assert!(
            said.contains("0001_foundation is missing; run `fenqi migrate`"),
            "{said}"
        );
    }
    assert_eq!(std::fs::metadata(folder.0.join("fenqi.db")).unwrap().len(), 0);
    let output = fenqi(&["migrate", "--database", &folder.database()], &[]);
    assert!(output.status.success(), "{}", said(&output));
    let output = fenqi(&["verify", "--database", &folder.database()], &[]);
    assert!(output.status.success(), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_database_without_a_schema_is_told_and_left_as_it_is() {
    let Ok(url) = std::env::var("FENQI_TEST_POSTGRES") else {
        println!("skipped: FENQI_TEST_POSTGRES names no server");
        return;
    };
    let schema = format!("installation_{}", std::process::id());
    drop_schema(&url, &schema).await.unwrap();
    create_schema(&url, &schema).await.unwrap();
    let sign = if url.contains('?') { '&' } else { '?' };
    let database = format!("{url}{sign}options=-csearch_path%3D{schema}");
    for command in ["verify", "doctor"] {
        let output = fenqi(&[command, "--database", &database], &[]);
        let said = said(&output);
        assert!(!output.status.success());
        assert!(said.contains("run `fenqi migrate`"), "{said}");
    }
    let store = Postgres::connect(&PostgresOptions::new(&url).in_schema(&schema)).await;
    let unchanged = store.unwrap().check_schema().await.unwrap_err().to_string();
    drop_schema(&url, &schema).await.unwrap();
    assert!(unchanged.contains("0001_foundation is missing"), "{unchanged}");
}

#[test]
fn one_key_alone_or_a_wrong_one_makes_no_store() {
    let folder = Folder::new();
    let key = "0a".repeat(32);
    for (keys, expected) in [
        (
            &[("FENQI_KEY", key.as_str())][..],
            "FENQI_KEY is set and FENQI_INDEX_KEY is not",
        ),
        (
            &[("FENQI_KEY", "abc"), ("FENQI_INDEX_KEY", key.as_str())][..],
            "FENQI_KEY must be 64 hexadecimal digits",
        ),
    ] {
        for command in ["migrate", "doctor", "config"] {
            let output = fenqi(&[command, "--database", &folder.database()], keys);
            let said = said(&output);
            assert!(!output.status.success(), "{command}");
            assert!(said.contains(expected), "{command}: {said}");
        }
    }
    assert_eq!(files(&folder.0), [""; 0]);
}

#[test]
fn the_demo_says_as_values_what_it_loaded_and_played() {
    let output = fenqi(&["demo", "--no-serve", "--json"], &[]);
    assert!(output.status.success(), "{}", said(&output));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["books_agree"], true);
    assert_eq!(told["institutions"], 3);
    assert!(told["products"].as_u64().unwrap() >= 60);
    assert_eq!(told["troubles"], serde_json::json!([]));
    assert!(told["text"].as_str().unwrap().contains("ann settles A1"));
    assert!(told["look_at"].is_null(), "nothing is served");
}

#[test]
fn what_the_demo_keeps_is_verified_and_opened_with_its_keys_alone() {
    let folder = Folder::new();
    let demo = ["demo", "--no-serve", "--database", &folder.database()];
    let output = fenqi(&demo, &[]);
    assert!(output.status.success(), "{}", said(&output));
    let output = fenqi(&["verify", "--database", &folder.database()], &[]);
    assert!(output.status.success(), "{}", said(&output));
    let doctor = ["doctor", "--database", &folder.database()];
    let well = said(&fenqi(&doctor, &[]));
    assert!(well.contains("the keys open what is sealed"), "{well}");
    let key = "0a".repeat(32);
    let keys = [("FENQI_KEY", key.as_str()), ("FENQI_INDEX_KEY", key.as_str())];
    let ill = said(&fenqi(&doctor, &keys));
    assert!(ill.contains("the keys with which the store was made"), "{ill}");
    let again = said(&fenqi(&demo, &[]));
    assert!(again.contains("there is a shop in this store already"), "{again}");
}

#[test]
fn the_clock_is_not_moved_far_by_a_slip() {
    let folder = Folder::new();
    let database = folder.database();
    assert!(fenqi(&["migrate", "--database", &database], &[]).status.success());
    let far = fenqi(&["day", "--until", "9999-12-31", "--database", &database], &[]);
    assert!(!far.status.success());
    assert!(
        said(&far).contains("add --far if that is meant"),
        "{}",
        said(&far)
    );
    let key = "0a".repeat(32);
    let keys = [("FENQI_KEY", key.as_str()), ("FENQI_INDEX_KEY", key.as_str())];
    let own = folder.0.join("own.db");
    let own = format!("sqlite:{}", own.display());
    assert!(fenqi(&["migrate", "--database", &own], &keys).status.success());
    let ahead = ["day", "--far", "--until", "9999-12-31", "--database", &own];
    let moved = fenqi(&ahead, &keys);
    assert!(!moved.status.success());
    let moved = said(&moved);
    assert!(moved.contains("keys of its own is the machine's"), "{moved}");
    let doctor = ["doctor", "--database", &own];
    let new = said(&fenqi(&doctor, &keys));
    assert!(new.contains("no work of a day was done yet"), "{new}");
    assert!(fenqi(&["day", "--database", &own], &keys).status.success());
    let done = said(&fenqi(&doctor, &keys));
    assert!(
        done.contains("ok    the work of the days is done up to"),
        "{done}"
    );
    let past = said(&fenqi(
        &["day", "--until", "2020-01-01", "--database", &database],
        &[],
    ));
    assert!(past.contains("is over; today is"), "{past}");
    let idle = said(&fenqi(&["day", "--database", &database], &[]));
    assert!(idle.trim_end().ends_with(": nothing was due"), "{idle}");
    // It was not moved: the day that follows is that of the machine, and not one of the far future.
    let now = said(&fenqi(&["day", "--json", "--database", &database], &[]));
    let today = past
        .split("today is ")
        .nth(1)
        .and_then(|rest| rest.get(..10))
        .unwrap();
    assert!(now.contains(today), "{now}");
}

#[test]
fn a_story_can_be_read_as_json() {
    let folder = Folder::new();
    let (good, bad) = (folder.0.join("good.txt"), folder.0.join("bad.txt"));
    std::fs::write(&good, "at 2025-01-05 10:00\n").unwrap();
    std::fs::write(&bad, "nobody dances\n").unwrap();
    let (good, bad) = (good.display().to_string(), bad.display().to_string());
    let output = fenqi(&["story", &good, &bad, "--json"], &[]);
    assert!(!output.status.success(), "one of them cannot be played");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[1]["passed"], false);
    assert!(
        lines[1]["troubles"][0].as_str().unwrap().contains("dances"),
        "{text}"
    );
}
