//! The end of a play, as two plays are compared.
//!
//! Identifiers and recording instants are not compared: agreements are called by the order of their confirmation. After a
//! fault something may come a minute later, so that of a limit's change neither its instant nor what was available
//! between two changes of one day is compared; the days on which entries count are, and so is each limit at the end.

use std::collections::BTreeMap;

use fenqi_app::App;
use fenqi_app::texts::{self, Language};
use fenqi_app::verify::verify;
use fenqi_connect::SandboxControl;
use fenqi_domain::id::ShopperId;
use fenqi_domain::payment::{FailureCode, Kind};
use fenqi_store::Fault;
use fenqi_story::language::Command;
use fenqi_story::{Player, Step};

/// All that is compared, each part as sorted or ordered lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Entries: day on which they count, accounts, amount, kind, agreement.
    pub books: Vec<String>,
    /// Agreements: stage, outstanding, held, packed schedule, transactions.
    pub agreements: Vec<String>,
    /// Credit lines: limit, held, used.
    pub lines: Vec<String>,
    /// Payments that still claim an agreement.
    pub claims: Vec<String>,
    /// What `the end` shows, without instants, in no order.
    pub shown: Vec<String>,
    /// The texts that arrived, by address, in no order: one may come later after a fault, but none twice.
    pub messages: Vec<String>,
    /// What could not be played, what the check of the store found, and money that moved twice under one number.
    pub troubles: Vec<String>,
}

impl Ending {
    /// The end of a play.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn of(app: &App, sandbox: &SandboxControl, player: &mut Player<'_>) -> Result<Ending, Fault> {
        let names = names(app).await?;
        let shown = player.play(&the_end()).await;
        let mut shown: Vec<String> = shown
            .iter()
            .map(|line| without_instant(&names.plain(line)))
            .collect();
        shown.sort();
        let mut messages: Vec<String> = sandbox
            .messages()
            .into_iter()
            .map(|m| format!("{} {}: {}", m.channel, m.to, names.plain(&m.text)))
            .collect();
        messages.sort();
        let mut troubles = player.troubles().to_vec();
        match verify(app).await {
            Ok(found) => troubles.extend(
                found
                    .iter()
                    .map(|d| format!("verify: {}", names.plain(&d.to_string()))),
            ),
            Err(denied) => troubles.push(format!("verify: {denied}")),
        }
        let twice = sandbox.all_effects().into_iter().filter(|(_, times)| *times > 1);
        troubles.extend(twice.map(|(number, times)| format!("money moved {times} times under {number}")));
        Ok(Ending {
            books: books(app, &names).await?,
            agreements: agreements(app, &names).await?,
            lines: lines(app).await?,
            claims: claims(app, &names).await?,
            shown,
            messages,
            troubles,
        })
    }

    /// The same without the word to a shopper that a debit was closed by the bank: it is true, and it is owed, when the
    /// order to debit never arrived.
    #[must_use]
    pub fn without_closed_debits(mut self) -> Ending {
        let closed = texts::failure(FailureCode::Closed, Kind::Debit, Language::Zh);
        self.messages.retain(|text| !text.contains(&closed));
        self
    }

    /// Where another end differs from this one, part by part, line by line; nothing if it does not.
    pub fn differences(&self, other: &Ending) -> Vec<String> {
        let parts = [
            ("books", &self.books, &other.books),
            ("agreements", &self.agreements, &other.agreements),
            ("limits", &self.lines, &other.lines),
            ("claims", &self.claims, &other.claims),
            ("shown", &self.shown, &other.shown),
            ("messages", &self.messages, &other.messages),
            ("troubles", &self.troubles, &other.troubles),
        ];
        let mut differences = Vec::new();
        for (part, ours, theirs) in parts {
            if ours == theirs {
                continue;
            }
            let before = differences.len();
            differences.extend(missing(ours, theirs).map(|line| format!("{part}: missing {line}")));
            differences.extend(missing(theirs, ours).map(|line| format!("{part}: extra   {line}")));
            if differences.len() == before {
                differences.push(format!("{part}: the same lines in another order"));
            }
        }
        differences
    }
}

/// The lines of `of` that `from` has less often.
fn missing<'a>(of: &'a [String], from: &'a [String]) -> impl Iterator<Item = &'a String> {
    let mut there: BTreeMap<&String, usize> = BTreeMap::new();
    for line in from {
        let times = there.entry(line).or_default();
        *times = times.saturating_add(1);
    }
    of.iter().filter(move |line| match there.get_mut(line) {
        Some(times) if *times > 0 => {
            *times = times.saturating_sub(1);
            false
        }
        _ => true,
    })
}

fn the_end() -> Step {
    Step {
        line: 0,
        text: "the end".into(),
        command: Command::End,
        expected: Vec::new(),
    }
}

/// A line of a limit's timeline without its instant and without what was available then; any other line as it is.
fn without_instant(line: &str) -> String {
    let Some((person, rest)) = line.split_once(":   ") else {
        return line.to_owned();
    };
    let mut words = rest.split(' ');
    let is_instant = words
        .next()
        .is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok())
        && words.next().is_some_and(|time| time.contains(':'));
    if is_instant {
        let what: Vec<&str> = words.collect();
        let what = what.join(" ");
        let (change, rest) = what.split_once(", available ").unwrap_or((&what, ""));
        let reason = rest.split_once(' ').map_or("", |(_, reason)| reason);
        format!("{person}: {change} {reason}")
    } else {
        line.to_owned()
    }
}

/// What agreements are called in place of their identifiers, and who has one.
struct Names {
    called: Vec<(ShopperId, String, String)>,
}

impl Names {
    fn plain(&self, line: &str) -> String {
        let all = self.called.iter();
        all.fold(line.to_owned(), |line, (_, id, name)| line.replace(id, name))
    }
}

async fn names(app: &App) -> Result<Names, Fault> {
    let mut files = Vec::new();
    for owner in app.store.owners_after("", i64::MAX).await? {
        let Ok(shopper) = owner.parse() else { continue };
        for file in app.store.agreements(shopper).await? {
            let agreement = file.agreement;
            files.push((
                agreement.confirmed_at,
                agreement.plan.to_string(),
                shopper,
                agreement.id.to_string(),
            ));
        }
    }
    files.sort();
    let called = (1u32..).zip(files);
    let called = called.map(|(number, (_, plan, shopper, id))| (shopper, id, format!("#{number}-{plan}")));
    Ok(Names {
        called: called.collect(),
    })
}

async fn books(app: &App, names: &Names) -> Result<Vec<String>, Fault> {
    let mut lines: Vec<String> = app
        .store
        .books()
        .await?
        .into_iter()
        .map(|b| {
            let line = format!(
                "{} {} {} -> {} {} {} {}",
                b.effective_on, b.agreement, b.credit, b.debit, b.amount, b.currency, b.kind
            );
            names.plain(&line)
        })
        .collect();
    lines.sort();
    Ok(lines)
}

async fn agreements(app: &App, names: &Names) -> Result<Vec<String>, Fault> {
    let mut lines = Vec::new();
    for (shopper, id, name) in &names.called {
        let Ok(id) = id.parse() else { continue };
        let snapshots = app.store.snapshots(*shopper).await?;
        if let Some(s) = snapshots.iter().find(|s| s.id == id) {
            lines.push(format!(
                "{name} {} outstanding {} held {} {}",
                s.stage, s.outstanding, s.held, s.schedule
            ));
        }
        if let Some(file) = app.store.agreement(*shopper, id).await? {
            // In the order of the days on which they count; which of one day was entered first is not compared.
            let mut entered: Vec<String> = file
                .transactions
                .iter()
                .map(|t| format!("{name} {} {:?}", t.effective_on, t.event))
                .collect();
            entered.sort();
            lines.extend(entered);
        }
    }
    Ok(lines)
}

async fn lines(app: &App) -> Result<Vec<String>, Fault> {
    let mut lines = Vec::new();
    for owner in app.store.owners_after("", i64::MAX).await? {
        let Ok(id) = owner.parse() else { continue };
        for known in app.store.lines(id).await? {
            let line = known.line;
            lines.push(format!(
                "{}: limit {} own {:?} held {} used {} until {}",
                line.institution,
                line.limit.minor(),
                line.own_limit.map(|own| own.minor()),
                line.held.minor(),
                line.used.minor(),
                line.expires_on
            ));
        }
    }
    lines.sort();
    Ok(lines)
}

async fn claims(app: &App, names: &Names) -> Result<Vec<String>, Fault> {
    let mut seen = Vec::new();
    let mut lines = Vec::new();
    for (shopper, _, _) in &names.called {
        if seen.contains(shopper) {
            continue;
        }
        seen.push(*shopper);
        for (agreement, _) in app.store.claims(*shopper).await? {
            lines.push(names.plain(&agreement.to_string()));
        }
    }
    lines.sort();
    Ok(lines)
}
