//! A scenario as a file: its lines, the answers that it expects, and the answers that it got.

use std::fmt::Write as _;

use crate::language::Command;
use crate::mistake::Mistake;
use crate::parse;
use crate::words::in_china;
use jiff::Timestamp;

/// A scenario (剧本): commands, what is expected to be seen after each, and the author's comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// The file's name.
    pub file: String,
    lines: Vec<Line>,
}

/// A line, with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    /// A comment or nothing, kept as it is.
    Remark(String),
    /// A command and its answers.
    Step(Step),
}

/// A command, where it stands, and what is expected to be seen after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its line, from 1.
    pub line: usize,
    /// The line as it is written.
    pub text: String,
    /// What it says.
    pub command: Command,
    /// What is expected to be seen.
    pub expected: Vec<String>,
}

impl Step {
    /// What every scenario ends with, whether or not it says so.
    pub fn end() -> Step {
        Step {
            line: 0,
            text: "the end".to_owned(),
            command: Command::End,
            expected: Vec::new(),
        }
    }
}

/// Where what was seen is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The file.
    pub file: String,
    /// The command's line.
    pub line: usize,
    /// The command.
    pub text: String,
    /// What was expected.
    pub expected: Vec<String>,
    /// What was seen.
    pub seen: Vec<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}:{}: {}", self.file, self.line, self.text.trim())?;
        for line in self.expected.iter().filter(|l| !self.seen.contains(l)) {
            writeln!(f, "  expected  -> {line}")?;
        }
        for line in self.seen.iter().filter(|l| !self.expected.contains(l)) {
            writeln!(f, "  seen      -> {line}")?;
        }
        let is_only_order = self.expected.iter().all(|l| self.seen.contains(l))
            && self.seen.iter().all(|l| self.expected.contains(l));
        if is_only_order {
            writeln!(
                f,
                "  the lines are the same, but their order or number is not: {:?}",
                self.seen
            )?;
        }
        Ok(())
    }
}

impl Scenario {
    /// Reads a scenario; all its mistakes are named, not only the first.
    pub fn parse(file: &str, text: &str) -> Result<Scenario, Vec<Mistake>> {
        let mut lines = Vec::new();
        let mut mistakes = Vec::new();
        for (index, raw) in text.lines().enumerate() {
            let number = index + 1;
            let trimmed = raw.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                lines.push(Line::Remark(raw.trim_end().to_owned()));
            } else if let Some(answer) = trimmed.strip_prefix("->") {
                match lines.last_mut() {
                    Some(Line::Step(step)) => {
                        // What follows the arrow and one space is the answer, its indentation included.
                        let answer = answer.strip_prefix(' ').unwrap_or(answer);
                        step.expected.push(answer.trim_end().to_owned());
                    }
                    _ => mistakes.push(answer_without_command(file, number, raw)),
                }
            } else {
                match parse::command(raw) {
                    Ok(command) => lines.push(Line::Step(Step {
                        line: number,
                        text: raw.trim_end().to_owned(),
                        command,
                        expected: Vec::new(),
                    })),
                    Err(unexpected) => mistakes.push(Mistake {
                        file: file.to_owned(),
                        line: number,
                        column: unexpected.column,
                        found: unexpected.found,
                        expected: unexpected.expected,
                    }),
                }
            }
        }
        if mistakes.is_empty() {
            mistakes = out_of_order(file, &lines);
        }
        if mistakes.is_empty() {
            Ok(Scenario {
                file: file.to_owned(),
                lines,
            })
        } else {
            Err(mistakes)
        }
    }

    /// The commands, in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.lines.iter().filter_map(|line| match line {
            Line::Step(step) => Some(step),
            Line::Remark(_) => None,
        })
    }

    /// What the file should say, given what was seen after each command, in order.
    pub fn with_answers(&self, seen: &[Vec<String>]) -> String {
        let mut text = String::new();
        let mut answers = seen.iter();
        for line in &self.lines {
            match line {
                Line::Remark(remark) => {
                    let _ = writeln!(text, "{remark}");
                }
                Line::Step(step) => {
                    let _ = writeln!(text, "{}", step.text);
                    for answer in answers.next().into_iter().flatten() {
                        let _ = writeln!(text, "{}", format!("  -> {answer}").trim_end());
                    }
                }
            }
        }
        text
    }

    /// Where what was seen after each command, in order, is not what was expected.
    pub fn differences(&self, seen: &[Vec<String>]) -> Vec<Difference> {
        let nothing = Vec::new();
        self.steps()
            .enumerate()
            .filter_map(|(index, step)| {
                let seen = seen.get(index).unwrap_or(&nothing);
                (*seen != step.expected).then(|| Difference {
                    file: self.file.clone(),
                    line: step.line,
                    text: step.text.clone(),
                    expected: step.expected.clone(),
                    seen: seen.clone(),
                })
            })
            .collect()
    }
}

/// How far the days may pass in one line: eleven years.
const DAYS_MAX: i64 = 4_000;

/// Lines that go back in time or further than anything lasts, and a scenario in which nothing happens.
fn out_of_order(file: &str, lines: &[Line]) -> Vec<Mistake> {
    let steps = lines.iter().filter_map(|line| match line {
        Line::Step(step) => Some(step),
        Line::Remark(_) => None,
    });
    let (mut now, mut mistakes, mut is_empty) = (None, Vec::new(), true);
    for step in steps {
        is_empty = false;
        let (to, most) = match &step.command {
            Command::At(at) => (*at, None),
            Command::Pass(until) => match in_china(until.at(9, 0, 0, 0)) {
                Some(at) => (at, Some(jiff::SignedDuration::from_hours(24 * DAYS_MAX))),
                None => continue,
            },
            _ => continue,
        };
        let expected = match (now, most) {
            (Some(now), _) if to < now => Some(format!("a time from {} on", shown(now))),
            (Some(now), Some(most)) if to.duration_since(now) > most => {
                Some(format!("a day at most {DAYS_MAX} days after {}", shown(now)))
            }
            _ => None,
        };
        match expected {
            Some(expected) => mistakes.push(Mistake {
                file: file.to_owned(),
                line: step.line,
                column: 1,
                found: step.text.trim().to_owned(),
                expected,
            }),
            None => now = Some(to),
        }
    }
    if is_empty {
        mistakes.push(Mistake {
            file: file.to_owned(),
            line: 1,
            column: 1,
            found: String::new(),
            expected: "a command; nothing happens in this scenario".to_owned(),
        });
    }
    mistakes
}

/// A moment as scenarios write it.
fn shown(at: Timestamp) -> String {
    let local = jiff::tz::offset(8).to_datetime(at);
    format!("{} {:02}:{:02}", local.date(), local.hour(), local.minute())
}

fn answer_without_command(file: &str, line: usize, raw: &str) -> Mistake {
    Mistake {
        file: file.to_owned(),
        line,
        column: raw.chars().take_while(|c| c.is_whitespace()).count() + 1,
        found: "->".to_owned(),
        expected: "an answer only directly below its command or another answer".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Ann buys.\nat 2025-01-05 10:00\n\nann sees her limit\n  -> xiaofu: 3000.00\n  ->   granted\n  -> lanhua: none\n";

    #[test]
    fn a_scenario_writes_back_what_it_reads() {
        let scenario = Scenario::parse("a.txt", TEXT).unwrap();
        let seen: Vec<Vec<String>> = scenario.steps().map(|s| s.expected.clone()).collect();
        assert_eq!(scenario.with_answers(&seen), TEXT);
        assert!(scenario.differences(&seen).is_empty());
        let lines: Vec<usize> = scenario.steps().map(|s| s.line).collect();
        assert_eq!(lines, [2, 4]);
    }

    #[test]
    fn time_goes_on_and_something_happens() {
        let told = |text: &str| {
            let mistakes = Scenario::parse("a.txt", text).unwrap_err();
            mistakes
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; ")
        };
        let back = told("at 2025-01-05 10:00\nat 2025-01-05 09:00\n");
        assert!(
            back.starts_with("a.txt:2:1") && back.contains("from 2025-01-05 10:00 on"),
            "{back}"
        );
        let back = told("at 2025-01-05 10:00\nthe days pass until 2025-01-05\n");
        assert!(back.contains("from 2025-01-05 10:00 on"), "{back}");
        let far = told("at 2025-01-05 10:00\nthe days pass until 2999-01-01\n");
        assert!(far.contains("at most 4000 days after 2025-01-05 10:00"), "{far}");
        assert!(told("# nothing\n").contains("nothing happens in this scenario"));
        assert!(Scenario::parse("a.txt", "at 2025-01-05 09:00\nthe days pass until 2025-01-05\n").is_ok());
    }

    #[test]
    fn other_answers_are_named_and_replace_the_old_ones() {
        let scenario = Scenario::parse("a.txt", TEXT).unwrap();
        let seen = vec![
            vec![],
            vec![
                "xiaofu: 2000.00".to_owned(),
                "  granted".to_owned(),
                "lanhua: none".to_owned(),
            ],
        ];
        let differences = scenario.differences(&seen);
        assert_eq!(
            differences[0].to_string(),
            "a.txt:4: ann sees her limit\n  expected  -> xiaofu: 3000.00\n  seen      -> xiaofu: 2000.00\n"
        );
        let updated = Scenario::parse("a.txt", &scenario.with_answers(&seen)).unwrap();
        assert!(updated.differences(&seen).is_empty());
    }

    #[test]
    fn answers_in_another_order_are_a_difference() {
        let scenario = Scenario::parse("a.txt", TEXT).unwrap();
        let seen = vec![
            vec![],
            vec![
                "lanhua: none".to_owned(),
                "  granted".to_owned(),
                "xiaofu: 3000.00".to_owned(),
            ],
        ];
        let shown = scenario.differences(&seen)[0].to_string();
        assert!(shown.contains("their order or number is not"), "{shown}");
    }

    #[test]
    fn every_mistake_is_named_with_its_place() {
        let text = "-> nothing was asked\nat tomorrow\nann dances\nann pays 0 for A1\n";
        let mistakes = Scenario::parse("b.txt", text).unwrap_err();
        let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "b.txt:1:1: found “->”, expected an answer only directly below its command or another answer",
                "b.txt:2:4: found “tomorrow”, expected a day such as 2025-01-05",
                "b.txt:3:5: found “dances”, expected what the person does: asks, proves, applies, binds, takes, reads, signs, \
                 confirms, pays, settles, returns, withdraws, disputes, sets, lifts, sees, is or earns",
                "b.txt:4:10: found “0”, expected an amount of more than zero",
            ]
        );
    }
}
