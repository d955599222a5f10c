//! Commands that cannot do what they were asked for say so before they have done a part of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

/// A folder that is gone at the end of its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("fenqi-commands-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn store(&self) -> String {
        format!("sqlite:{}", self.0.join("shop.db").display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What `fenqi` says to these arguments, and whether all was well.
fn fenqi(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fenqi"));
    for name in ["FENQI_KEY", "FENQI_INDEX_KEY", "FENQI_DATABASE"] {
        command.env_remove(name);
    }
    let output = command.args(arguments).output().unwrap();
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

fn is_refused(arguments: &[&str], words: &str) {
    let (well, said) = fenqi(arguments);
    assert!(!well && said.contains(words), "{arguments:?}: {said}");
}

#[test]
fn a_shop_that_was_played_goes_on_from_its_own_day_and_is_written_over_by_nothing() {
    let folder = Folder::new("shop");
    let store = folder.store();
    let (well, said) = fenqi(&["demo", "--no-serve", "--database", &store]);
    assert!(well, "{said}");
    let again = ["demo", "--no-serve", "--database", &store];
    is_refused(&again, "there is a shop in this store already");
    assert!(!fenqi(&again).1.contains("loaded"));
    let bench = ["bench", "confirm", "--size", "4", "--database", &store];
    is_refused(&bench, "a bench writes made-up purchases");
    // Ann's story ends on 12 May 2025.
    let (well, said) = fenqi(&["day", "--until", "2025-05-13", "--database", &store]);
    assert!(well && said.contains("2025-05-13: "), "{said}");
    is_refused(&["day", "--until", "2025-05-12", "--database", &store], "is over");
    let (well, said) = fenqi(&["doctor", "--database", &store]);
    assert!(
        !well && said.contains("done up to today, 2025-05-13"),
        "the keys are the sandbox's, and all else is well: {said}"
    );
}

#[test]
fn a_bench_writes_into_an_empty_store_and_goes_on_in_its_own() {
    let folder = Folder::new("bench");
    let store = folder.store();
    for _ in 0..2 {
        let (well, said) = fenqi(&["bench", "confirm", "--size", "4", "--database", &store]);
        assert!(well && said.contains("4 done"), "{said}");
    }
}

#[test]
fn a_port_that_is_taken_is_told_before_anything_is_played() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (well, said) = fenqi(&["demo", "--port", &port]);
    assert!(!well && said.contains("choose another with --port"), "{said}");
    assert!(!said.contains("loaded") && !said.contains("look at"), "{said}");
}

#[test]
fn what_is_no_day_no_number_and_no_store_is_told_with_what_is_allowed() {
    for day in ["2026-02-30", "tomorrow", "20261231", "2026-12-31T10:00"] {
        is_refused(&["day", "--until", day], "write one such as 2026-12-31");
    }
    for size in ["0", "-1", "10000001", "many"] {
        let size = format!("--size={size}");
        is_refused(&["bench", "confirm", &size], "from 1 to 10000000");
    }
    for command in ["verify", "migrate", "day", "doctor"] {
        is_refused(&[command, "--database", "sqlite"], "a temporary store");
    }
    let folder = Folder::new("file");
    let file = folder.0.join("file");
    std::fs::write(&file, "a file").unwrap();
    let below = format!("sqlite:{}", file.join("shop.db").display());
    is_refused(&["migrate", "--database", &below], "could not make");
}

#[test]
fn a_wrong_address_names_where_it_stands_and_which_part_is_wrong() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fenqi"));
    let output = command
        .args(["verify"])
        .env("FENQI_DATABASE", "mysql://h")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("it was read from FENQI_DATABASE"), "{said}");
    let (_, said) = fenqi(&["verify", "--database", "mysql://h"]);
    assert!(
        said.contains("is no database") && !said.contains("FENQI_DATABASE"),
        "{said}"
    );
    for command in ["verify", "migrate", "doctor"] {
        is_refused(
            &[command, "--database", "postgres://u:secret@h:99999/x"],
            "the port is no number from 1 to 65535",
        );
        assert!(
            !fenqi(&[command, "--database", "postgres://u:secret@h:99999/x"])
                .1
                .contains("secret")
        );
    }
}

#[test]
fn a_script_shows_its_books_and_is_left_as_it_is_where_it_cannot_be_played() {
    let folder = Folder::new("story");
    let play = |text: &[u8], flags: &[&str]| {
        let file = folder.0.join("mine.txt");
        std::fs::write(&file, text).unwrap();
        let name = file.display().to_string();
        let (well, said) = fenqi(&[&["story", &name], flags].concat());
        (well, said, std::fs::read(&file).unwrap())
    };
    let opens = "at 2025-01-05 10:00\nann is 张安, 110101199003070011, phone 13800000001, earns 12000.00\n";
    let (well, said, _) = play(opens.as_bytes(), &[]);
    assert!(
        well && said.contains("at the end") && said.contains("sum: 0.00"),
        "{said}"
    );
    let marked = [b"\xef\xbb\xbf", opens.as_bytes()].concat();
    assert!(
        play(&marked, &[]).0,
        "a mark of its encoding is none of its words"
    );
    let unknown = format!("{opens}ann asks for offers on PH-9999, in 310000\n");
    let (well, said, left) = play(unknown.as_bytes(), &["--update"]);
    assert!(!well && said.contains("left as it is"), "{said}");
    assert_eq!(left, unknown.as_bytes());
    let (_, said, _) = play(unknown.as_bytes(), &["--quiet"]);
    assert_eq!(
        said.matches("PH-9999").count(),
        1,
        "a failure is said once: {said}"
    );
    let (well, said, _) = play(b"\xff\xfea\0", &[]);
    assert!(!well && said.contains("save it as UTF-8"), "{said}");
}
