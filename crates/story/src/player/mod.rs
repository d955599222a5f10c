//! Plays a scenario on a platform (剧本演出): each command is carried out by the use case that stands for it, and what
//! its person sees is written down.

mod account;
mod cast;
mod end;
mod outside;
mod paying;
mod selling;
mod shopping;
mod show;
mod staff;
mod words;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use fenqi_app::checkout::open_account;
use fenqi_app::repayment::bounce::{self, BankNotice};
use fenqi_app::{App, Configuration, Denied, Key};
use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::{NoticeId, ProposalId, ShopperId};
use fenqi_domain::money::OutOfRange;
use jiff::SignedDuration;
use jiff::civil::Date;

use crate::control::{Control, Cue};
use crate::language::{Command, Desk};
use crate::scenario::Step;
use cast::Cast;

/// The hour of the morning in which a day's work is done: people may be spoken to, and debits are usual.
const MORNING: i8 = 9;

/// How long a command takes.
const COMMAND: SignedDuration = SignedDuration::from_secs(1);

/// How often a command is sent again when the platform could not say what became of it; the key is the same.
const TRIES: usize = 4;

/// A scenario being played.
pub struct Player<'a> {
    app: &'a App,
    control: &'a Control,
    file: String,
    cast: Cast,
    /// What was proposed last and waits for another person.
    proposal: Option<ProposalId>,
    /// The maintenance window that was opened last for each party, and its notice.
    windows: BTreeMap<String, (String, NoticeId)>,
    /// The bank's notices that the platform has not acknowledged.
    unheard: VecDeque<BankNotice>,
    /// What could not be played at all.
    troubles: Vec<String>,
}

/// How the answer begins to a line that could not be played at all.
pub const UNPLAYABLE: &str = "cannot be played: ";

/// Why a command has no answer of its own.
#[derive(Debug)]
enum Stop {
    /// The platform says no.
    Denied(Denied),
    /// The scenario asks for what is not there.
    Impossible(String),
}

impl From<Denied> for Stop {
    fn from(denied: Denied) -> Stop {
        Stop::Denied(denied)
    }
}

impl From<String> for Stop {
    fn from(why: String) -> Stop {
        Stop::Impossible(why)
    }
}

impl From<OutOfRange> for Stop {
    fn from(error: OutOfRange) -> Stop {
        Stop::Denied(error.into())
    }
}

/// What a person sees, line by line.
type Seen = Result<Vec<String>, Stop>;

impl<'a> Player<'a> {
    /// A player at the beginning of a scenario.
    pub fn new(app: &'a App, control: &'a Control, file: &str) -> Player<'a> {
        Player {
            app,
            control,
            file: file.to_owned(),
            cast: Cast::default(),
            proposal: None,
            windows: BTreeMap::new(),
            unheard: VecDeque::new(),
            troubles: Vec::new(),
        }
    }

    /// Plays one command and says what was seen. A command whose outcome is unclear is sent again under its own key, as
    /// a careful client does.
    pub async fn play(&mut self, step: &Step) -> Vec<String> {
        for _ in 1..TRIES {
            match self.once(step).await {
                Err(Stop::Denied(Denied::Fault(_))) => {}
                seen => return self.written(step, seen).await,
            }
        }
        let seen = self.once(step).await;
        self.written(step, seen).await
    }

    /// What could not be played at all: words that stand for nothing, and faults.
    pub fn troubles(&self) -> &[String] {
        &self.troubles
    }

    async fn once(&mut self, step: &Step) -> Seen {
        let seen = match &step.command {
            Command::At(at) => {
                self.clock(*at);
                Ok(Vec::new())
            }
            Command::Pass(until) => self.pass(*until).await,
            Command::Work => self.morning().await,
            Command::Outside(outside) => self.outside(outside).await,
            Command::Shopper { who, does } => self.shopping(step, who, does).await,
            Command::Store(selling) => self.selling(step, selling).await,
            Command::Staff { who, does } => self.tending(step, *who, does).await,
            Command::End => self.end().await,
        }?;
        // Two commands are never at the same instant, so that what was done later also sorts later.
        let next = self
            .app
            .clock
            .now()
            .checked_add(COMMAND)
            .map_err(|e| e.to_string())?;
        self.clock(next);
        Ok(seen)
    }

    /// The names by which lenders, regions and documents go; without them an answer is told by codes.
    async fn names(&self) -> Arc<Configuration> {
        self.app.configuration().await.unwrap_or_default()
    }

    async fn written(&mut self, step: &Step, seen: Seen) -> Vec<String> {
        let names = self.names().await;
        let lines = match seen {
            Ok(lines) => lines,
            Err(Stop::Denied(Denied::Fault(fault))) => self.trouble(step, &format!("fault: {fault}")),
            Err(Stop::Denied(denied)) => words::denied(&denied, &names),
            Err(Stop::Impossible(why)) => self.trouble(step, &why),
        };
        lines
            .iter()
            .map(|line| self.cast.plain(line).trim_end().to_owned())
            .collect()
    }

    fn trouble(&mut self, step: &Step, why: &str) -> Vec<String> {
        self.troubles.push(format!("{}:{}: {why}", self.file, step.line));
        vec![format!("{UNPLAYABLE}{why}")]
    }

    /// Moves the clock, for the platform and for the world outside.
    fn clock(&self, at: jiff::Timestamp) {
        self.app.clock.forward(at);
        // Only the word of a party can be missing from a cue, and this one names none.
        let _ = (self.control.cue)(&Cue::Time(self.app.clock.now()));
    }

    /// Lets the days pass, and does the work of each.
    async fn pass(&mut self, until: Date) -> Seen {
        let mut day = self.app.moment().today;
        if until <= day {
            return Err(Stop::Impossible(format!("it is {day} already")));
        }
        let mut lines = Vec::new();
        while day < until {
            day = day.tomorrow().map_err(|e| e.to_string())?;
            self.clock(self.app.instant_of(day, MORNING));
            lines.extend(self.morning().await?);
        }
        Ok(lines)
    }

    /// The work of a morning, begun again when it could not be finished: jobs look at the state first and may run twice.
    async fn morning(&mut self) -> Seen {
        for _ in 1..TRIES {
            match self.work().await {
                Err(Stop::Denied(Denied::Fault(_))) => {}
                seen => return seen,
            }
        }
        self.work().await
    }

    /// Hands the bank's notices to the platform. A bank repeats a notice until it is acknowledged.
    async fn hear(&mut self) -> Result<(), Stop> {
        let job = Actor::Job {
            name: "channel".to_owned(),
        };
        self.unheard.extend((self.control.notices)());
        let mut tries = 1;
        while let Some(notice) = self.unheard.front() {
            match bounce::notice(self.app, &job, notice.clone()).await {
                Ok(_) => {
                    self.unheard.pop_front();
                }
                Err(Denied::Fault(_)) if tries < TRIES => tries += 1,
                Err(denied) => return Err(denied.into()),
            }
        }
        Ok(())
    }

    /// The key of a command: the same line always has the same, and each part of it its own.
    fn key(&self, step: &Step, part: &str) -> Result<Key, Stop> {
        Ok(Key::parse(&format!("{}:{part}", step.line))?)
    }

    /// A person's account, opened when they first need one.
    async fn shopper(&mut self, who: &str) -> Result<ShopperId, Stop> {
        let person = self.cast.person(who)?;
        if let Some(shopper) = person.shopper {
            return Ok(shopper);
        }
        let phone = person.phone.clone();
        let store = store("spruce");
        // Whichever line needs them first, it is one command.
        let key = Key::parse(&format!("account:{who}"))?;
        let opened = open_account::open_account(self.app, &store, &key, &phone).await?;
        let shopper = opened.reply();
        self.cast.person_mut(who)?.shopper = Some(shopper);
        self.cast.call(&shopper.to_string(), who);
        Ok(shopper)
    }
}

/// A store's server.
fn store(seller: &str) -> Actor {
    Actor::Store {
        seller: seller.to_owned(),
    }
}

/// A member of staff, who may do everything that one person may.
fn desk(who: Desk) -> Actor {
    let name = match who {
        Desk::Staff => "staff",
        Desk::Supervisor => "supervisor",
    };
    Actor::Staff {
        name: name.to_owned(),
        scopes: vec![
            Scope::Offer,
            Scope::Repay,
            Scope::Configure,
            Scope::Accounts,
            Scope::Care,
            Scope::Approve,
            Scope::Work,
        ],
    }
}
