//! Due dates against another program (日期对照): `tests/oracle/dates.py` reckons them from tables, with Python's calendar.
//!
//! The test run looks at every 97th day of a purchase between 2000 and 2099; `cargo xtask dates` at all of them, or at as
//! many as it is told.

use std::io::{BufReader, Read as _};
use std::process::{Command, Stdio};

use fenqi_domain::calendar::{DueRule, Holidays, Roll, add_days, days_between};
use jiff::civil::{Date, date};

const TERMS: [u16; 7] = [3, 6, 9, 12, 18, 24, 36];

/// The oracle, and the dates that it says.
struct Oracle {
    said: BufReader<std::process::ChildStdout>,
    child: std::process::Child,
}

impl Oracle {
    fn start(every: i64, first: i64) -> Oracle {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/dates.py");
        let mut child = Command::new("python3")
            .args([script, &every.to_string(), &first.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("python3: {error}; `cargo xtask test` installs it"));
        let said = BufReader::with_capacity(1 << 20, child.stdout.take().unwrap());
        Oracle { said, child }
    }

    /// The next date that it says, as days from 0001-01-01.
    fn next(&mut self) -> i64 {
        let mut bytes = [0; 4];
        self.said.read_exact(&mut bytes).unwrap();
        i64::from(i32::from_le_bytes(bytes))
    }
}

/// How many days are left out between two that are looked at.
fn every() -> i64 {
    let told = std::env::var("FENQI_DATES_EVERY").ok();
    told.map_or(97, |text| text.parse().unwrap())
}

/// The due dates of all terms are what the oracle says; how many were compared.
fn compare(oracle: &mut Oracle, rule: DueRule, roll: Roll, start: Date, holidays: &Holidays) -> u64 {
    let mut compared = 0;
    for term in TERMS {
        let dates = rule.dates(start, term, roll, holidays).unwrap();
        assert_eq!(dates.len(), usize::from(term));
        for due in dates {
            let said = oracle.next();
            let ours = days_between(date(1, 1, 1), due) + 1;
            assert_eq!(ours, said, "{rule:?}, {roll:?}, from {start}: {due} in {term}");
            compared += 1;
        }
    }
    compared
}

#[test]
fn due_dates_are_what_another_program_reckons() {
    let (every, holidays) = (every(), Holidays::default());
    // Another day to begin with than the first of January, so that samples of different sizes see different days.
    let first = every / 2;
    let mut oracle = Oracle::start(every, first);
    let (mut start, mut compared) = (add_days(date(2000, 1, 1), first).unwrap(), 0u64);
    while start <= date(2099, 12, 31) {
        for anchor in 1..=31u8 {
            let rules = [
                DueRule::FixedDay {
                    day: anchor,
                    first_after_days: u16::from(anchor) % 20,
                },
                DueRule::Statement {
                    statement_day: anchor,
                    due_after_days: u16::from(anchor) * 3 % 26,
                },
            ];
            for roll in [Roll::None, Roll::Following, Roll::ModifiedFollowing] {
                for rule in rules {
                    compared += compare(&mut oracle, rule, roll, start, &holidays);
                }
            }
        }
        compared += compare(&mut oracle, DueRule::OrderAnchored, Roll::None, start, &holidays);
        start = add_days(start, every).unwrap();
    }
    let mut rest = Vec::new();
    oracle.said.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty(), "the oracle says more");
    assert!(oracle.child.wait().unwrap().success());
    assert!(
        compared > 20_000 * (36_525 / u64::try_from(every).unwrap() - 1),
        "{compared}"
    );
}
