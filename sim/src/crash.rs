//! Crash at every step (逐步故障): a scenario is played once undisturbed, and then once for each harm at each of its
//! commits and outside calls. Clients and jobs go on as they do after a fault; the end must be the same.
//!
//! - A commit fails before it is written, is written and its answer is lost, or happens twice.
//! - An outside call's request or reply is lost, it is delivered twice, or its notice comes twice.
//!
//! A client that hears of a fault sends its command again under the same key (the player does so); one that hears that a
//! party is out of reach waits a minute and does so; a job whose piece failed is run again on the same day. [`ending`]
//! says what is compared.

use std::collections::BTreeSet;
use std::sync::Arc;

use fenqi_app::jobs::ask;
use fenqi_connect::SandboxControl;
use fenqi_connect::script::Misbehaviour;
use fenqi_server::data::Data;
use fenqi_server::stage;
use fenqi_server::story::{Place, platform};
use fenqi_store::{Driver, Fault, Postgres, PostgresOptions, Sqlite, create_schema, drop_schema};
use fenqi_story::language::Command;
use fenqi_story::{Control, Player, Scenario, Step};
use jiff::{SignedDuration, Timestamp};

pub mod ending;
pub mod tripwire;

pub use ending::Ending;
pub use tripwire::CommitHarm;

use tripwire::Tripwire;

/// One harm at one point of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blow {
    /// To the commit of this number, from 1.
    Commit(u64, CommitHarm),
    /// To the outside call of this number, counted over all parties from 1.
    Call(u64, Misbehaviour),
}

impl std::fmt::Display for Blow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Blow::Commit(at, CommitHarm::Before) => write!(f, "commit {at} fails before it is written"),
            Blow::Commit(at, CommitHarm::After) => write!(f, "commit {at} is written and its answer lost"),
            Blow::Commit(at, CommitHarm::Twice) => write!(f, "commit {at} happens twice"),
            Blow::Call(at, Misbehaviour::LostRequest) => write!(f, "call {at} never arrives"),
            Blow::Call(at, Misbehaviour::LostReply) => write!(f, "call {at} has its reply lost"),
            Blow::Call(at, Misbehaviour::Repeated) => write!(f, "call {at} arrives twice"),
            Blow::Call(at, Misbehaviour::DuplicateNotice) => write!(f, "call {at} has its notice twice"),
            Blow::Call(at, other) => write!(f, "call {at}: {other:?}"),
        }
    }
}

/// What a play came to.
#[derive(Debug, Clone)]
pub struct Played {
    /// The end, as it is compared.
    pub ending: Ending,
    /// Commits after the market was open.
    pub commits: u64,
    /// Calls of outside parties.
    pub calls: u64,
    /// The calls of steps in which the bank sent a notice: only these can have one twice.
    pub noticed: BTreeSet<u64>,
    /// The calls that the scenario itself makes go wrong, and those of steps whose payment it makes: its own blows.
    pub awry: BTreeSet<u64>,
    /// The steps, from 0, after which a payment had no outcome yet, because the scenario wants it so.
    pub waiting: BTreeSet<usize>,
    /// Whether the harm was done.
    pub was_struck: bool,
    /// The step, from 0, in which it was done.
    pub struck_in: Option<usize>,
    /// The line of the scenario at which it was done, and what was seen there before and after going on.
    pub at: Option<String>,
}

/// Every blow that a scenario can be dealt, given how it went undisturbed.
pub fn blows(undisturbed: &Played) -> Vec<Blow> {
    let mut blows = Vec::new();
    for at in 1..=undisturbed.commits {
        let harms = [CommitHarm::Before, CommitHarm::After, CommitHarm::Twice];
        blows.extend(harms.map(|harm| Blow::Commit(at, harm)));
    }
    for at in (1..=undisturbed.calls).filter(|at| !undisturbed.awry.contains(at)) {
        let harms = [
            Misbehaviour::LostRequest,
            Misbehaviour::LostReply,
            Misbehaviour::Repeated,
        ];
        blows.extend(harms.map(|harm| Blow::Call(at, harm)));
        if undisturbed.noticed.contains(&at) {
            blows.push(Blow::Call(at, Misbehaviour::DuplicateNotice));
        }
    }
    blows
}

/// Where the end with a blow is not the one without, and where the blow fell; nothing if they are the same.
pub fn differences(undisturbed: &Played, blow: &Blow, played: &Played) -> Vec<String> {
    if !played.was_struck {
        return vec!["it was never dealt".to_owned()];
    }
    // Work that is run again asks again about what the scenario keeps waiting, so that it ends earlier or otherwise: a
    // debit belongs to its day (design §3.20). What can still be asked of the end is that the books agree.
    if played
        .struck_in
        .is_some_and(|step| undisturbed.waiting.contains(&step))
    {
        return played.ending.troubles.clone();
    }
    let mut differences = match blow {
        Blow::Call(_, Misbehaviour::LostRequest) => {
            let without = undisturbed.ending.clone().without_closed_debits();
            without.differences(&played.ending.clone().without_closed_debits())
        }
        _ => undisturbed.ending.differences(&played.ending),
    };
    if !differences.is_empty() {
        differences.extend(played.at.iter().map(|at| format!("at {at}")));
    }
    differences
}

/// Plays a scenario with one blow, of which the undisturbed play is known, or with none, on a fresh store.
///
/// # Errors
/// A fault of the store that the blow does not explain.
pub async fn play(
    scenario: &Scenario,
    data: &Data,
    place: &Place,
    blow: Option<(&Blow, &Played)>,
    name: &str,
) -> Result<Played, Fault> {
    match place {
        Place::Sqlite => {
            let sqlite = Sqlite::temporary()?;
            sqlite.migrate(Timestamp::UNIX_EPOCH)?;
            on(scenario, data, Arc::new(sqlite), blow).await
        }
        Place::Postgres(url) => {
            let schema = format!("crash_{}_{name}", std::process::id());
            drop_schema(url, &schema).await?;
            create_schema(url, &schema).await?;
            let options = PostgresOptions::new(url.as_str()).in_schema(schema.as_str());
            let played = match Postgres::connect(&options).await {
                Ok(postgres) => {
                    postgres.migrate(Timestamp::UNIX_EPOCH).await?;
                    on(scenario, data, Arc::new(postgres), blow).await
                }
                Err(fault) => Err(fault),
            };
            // Dropped even after a fault, so that nothing is left behind.
            drop_schema(url, &schema).await?;
            played
        }
    }
}

async fn on(
    scenario: &Scenario,
    data: &Data,
    driver: Arc<dyn Driver>,
    blow: Option<(&Blow, &Played)>,
) -> Result<Played, Fault> {
    let at = match blow {
        Some((Blow::Commit(at, harm), _)) => Some((*at, *harm)),
        _ => None,
    };
    let tripwire = Arc::new(Tripwire::new(driver, at));
    let (app, sandbox) = platform(tripwire.clone(), data).await?;
    if let Some((Blow::Call(at, what), _)) = blow {
        sandbox.at_call(*at, what.clone());
    }
    tripwire.arm();
    let heard = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let control = listened(stage::control(&sandbox), heard.clone());
    let mut play = Play {
        player: Player::new(&app, &control, &scenario.file),
        app: &app,
        sandbox: &sandbox,
        tripwire: &tripwire,
        blow: blow.map(|(blow, _)| blow),
        at: None,
    };
    let (mut noticed, mut awry, mut waiting) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut number, mut struck_in) = (0usize, None);
    for step in scenario.steps() {
        for step in by_day(step, &app) {
            let (calls, notices) = (sandbox.calls(), count(&heard));
            let waits = blow.is_some_and(|(_, undisturbed)| undisturbed.waiting.contains(&number));
            let struck_before = play.was_struck();
            let seen = play.step(&step, waits).await;
            if play.was_struck() && !struck_before {
                struck_in = Some(number);
            }
            if blow.is_none() && is_waiting(&app).await? {
                waiting.insert(number);
            }
            number = number.saturating_add(1);
            let those = calls.saturating_add(1)..=sandbox.calls();
            if count(&heard) > notices {
                noticed.extend(those.clone());
            }
            if seen
                .iter()
                .any(|line| line.contains(PAYMENT) && !line.contains(DONE))
            {
                awry.extend(those);
            }
        }
    }
    awry.extend(sandbox.told_calls());
    let (commits, calls) = (tripwire.commits(), sandbox.calls());
    let was_struck = play.was_struck();
    let Play { mut player, at, .. } = play;
    let ending = Ending::of(&app, &sandbox, &mut player).await?;
    Ok(Played {
        ending,
        commits,
        calls,
        noticed,
        awry,
        waiting,
        was_struck,
        struck_in,
        at,
    })
}

/// Whether a payment has no outcome yet.
async fn is_waiting(app: &fenqi_app::App) -> Result<bool, Fault> {
    Ok(!app.store.open_payments(None, 1).await?.is_empty())
}

fn count(heard: &std::sync::atomic::AtomicU64) -> u64 {
    heard.load(std::sync::atomic::Ordering::Acquire)
}

/// A control whose notices are counted.
fn listened(control: Control, heard: Arc<std::sync::atomic::AtomicU64>) -> Control {
    let notices = control.notices;
    Control {
        notices: Box::new(move || {
            let told = notices();
            let many = u64::try_from(told.len()).unwrap_or(u64::MAX);
            heard.fetch_add(many, std::sync::atomic::Ordering::AcqRel);
            told
        }),
        ..control
    }
}

/// A step as it is; the passing of days as one step for the morning of each and one for its work, so that the work of a
/// day can be run again on that day.
fn by_day(step: &Step, app: &fenqi_app::App) -> Vec<Step> {
    let Command::Pass(until) = &step.command else {
        return vec![step.clone()];
    };
    let mut steps = Vec::new();
    let mut day = app.moment().today;
    while day < *until {
        let Ok(next) = day.tomorrow() else { break };
        day = next;
        for command in [Command::At(app.instant_of(day, MORNING)), Command::Work] {
            steps.push(Step {
                command,
                ..step.clone()
            });
        }
    }
    steps
}

/// The hour of the morning in which the player does a day's work.
const MORNING: i8 = 9;

/// How long a client waits that was told that a party is out of reach: longer than that party is left alone.
const PATIENCE: SignedDuration = SignedDuration::from_secs(61);

/// How often what failed is run again.
const TRIES: usize = 3;

/// A scenario being played with a blow.
struct Play<'a> {
    player: Player<'a>,
    app: &'a fenqi_app::App,
    sandbox: &'a SandboxControl,
    tripwire: &'a Tripwire,
    blow: Option<&'a Blow>,
    at: Option<String>,
}

impl Play<'_> {
    fn was_struck(&self) -> bool {
        match self.blow {
            None => false,
            Some(Blow::Commit(..)) => self.tripwire.was_struck(),
            Some(Blow::Call(at, _)) => self.sandbox.calls() >= *at,
        }
    }

    /// Plays one step; if the blow fell in it, whoever gave it goes on. Where the scenario itself keeps a payment waiting
    /// after this step, nobody asks about it before its time.
    async fn step(&mut self, step: &Step, waits: bool) -> Vec<String> {
        let struck_before = self.was_struck();
        let seen = self.player.play(step).await;
        if struck_before || !self.was_struck() {
            return seen;
        }
        let again = self.goes_on(step, &seen, waits).await;
        let today = self.app.moment().today;
        self.at = Some(format!(
            "line {} ({}) on {today}, seen {seen:?}, then {again:?}",
            step.line,
            step.text.trim()
        ));
        again
    }

    /// A job is run again on its day; a command is sent again under its key if it had no answer, or if it is to happen
    /// twice; what is under way is asked about before anybody goes on; and what turns out never to have arrived is done
    /// anew.
    async fn goes_on(&mut self, step: &Step, seen: &[String], waits: bool) -> Vec<String> {
        if step.command == Command::Work {
            return self.works_again(step, waits).await;
        }
        let mut last = seen.to_vec();
        let says = |word: &str| seen.iter().any(|line| line.contains(word));
        let is_twice = matches!(self.blow, Some(Blow::Commit(_, CommitHarm::Twice)));
        let is_out_of_reach = says(OUT_OF_REACH);
        if is_out_of_reach {
            let later = self.app.clock.now().checked_add(PATIENCE);
            self.app.clock.forward(later.unwrap_or(Timestamp::MAX));
            self.sandbox.time_is(self.app.clock.now());
        }
        let is_of_a_person = matches!(
            step.command,
            Command::Shopper { .. } | Command::Store(_) | Command::Staff { .. }
        );
        let is_unanswered = says(UNANSWERED);
        if is_out_of_reach || is_unanswered || (is_twice && is_of_a_person) {
            last = self.player.play(step).await;
        }
        if !waits {
            last.extend(self.asks().await);
        }
        // The bank never had the order, so the payment failed, and its payer pays again: a new command with a key of its own.
        let never_arrived = matches!(self.blow, Some(Blow::Call(_, Misbehaviour::LostRequest)));
        if is_unanswered && never_arrived && last.iter().any(|line| line.contains(PAYMENT)) {
            let anew = Step {
                line: step.line.saturating_add(ANEW),
                ..step.clone()
            };
            last = self.player.play(&anew).await;
        }
        last
    }

    async fn works_again(&mut self, step: &Step, waits: bool) -> Vec<String> {
        let mut last = if waits { Vec::new() } else { self.asks().await };
        for _ in 0..TRIES {
            last = self.player.play(step).await;
            if last.is_empty() {
                break;
            }
        }
        last
    }

    /// Asks about what is under way, as the worker does later on the same day.
    async fn asks(&self) -> Vec<String> {
        let today = self.app.moment().today;
        let until = today.tomorrow().unwrap_or(today);
        let mut failed = Vec::new();
        for asked in [
            ask::payments(self.app).await,
            ask::applications(self.app, until).await,
        ] {
            match asked {
                Ok(report) => failed.extend(report.failed),
                Err(denied) => failed.push(denied.to_string()),
            }
        }
        failed
    }
}

/// What the player shows of a payment or an application without an answer.
const UNANSWERED: &str = "unknown";

/// How the player begins to speak of a payment.
const PAYMENT: &str = "payment of";

/// What the player shows of a payment that succeeded.
const DONE: &str = "succeeded";

/// What is added to a line's number for the key of a command that is given anew.
const ANEW: usize = 100_000;

/// The code of the refusal that says that a party is out of reach.
const OUT_OF_REACH: &str = "temporary_fault";
