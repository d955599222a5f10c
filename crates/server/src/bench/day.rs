//! The workload `day`: the day run over a store of agreements of which some are due on the day, as many are due on the
//! day for which bills are issued, and as many are late. Every shopper has given a mandate, and the bank takes each debit
//! as one that is under way (处理中), as banks do with debits by the file: what the day run asks for is asked for, and
//! answered later.
//!
//! The store is one that `fenqi verify` accepts, before the day and after it: [`super::lives`] says how it is filled.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use fenqi_app::jobs::day;
use fenqi_app::repayment::mandate::{self, ChangeMandate};
use fenqi_app::servicing::BILL_DAYS_AHEAD;
use fenqi_app::{App, Clock, Key};
use fenqi_connect::SandboxControl;
use fenqi_connect::bank::Card as BankCard;
use fenqi_connect::script::{Lasting, Misbehaviour, Operation};
use fenqi_domain::actor::Actor;
use fenqi_domain::calendar::{add_days, add_months};
use fenqi_domain::id::{CardId, ShopperId};
use fenqi_domain::money::Amount;
use fenqi_store::{Batch, Sqlite, Store};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::lives::{Life, Scribe};
use super::people::{Buyer, INSTITUTION, ready, signed_quote};
use super::{instant, repay, timed};
use crate::bench::confirm::article;
use crate::data::Data;
use crate::market;
use crate::wiring::{keys, sandbox, seed, zone};

/// How it is run.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How many agreements there are.
    pub agreements: usize,
    /// How many of them are due on the day; for as many more a bill is to be issued, and as many more are late.
    pub due: usize,
}

impl Size {
    /// What there is to do about an agreement: so many of each kind lie evenly among all, as `bench/day-fill.sql` lays
    /// them.
    fn turn(self, number: usize) -> Turn {
        if self.is_one_of_due(number, 0) {
            Turn::Due
        } else if self.is_one_of_due(number, self.agreements / 2) {
            Turn::Late
        } else if self.is_one_of_due(number, self.agreements / 4) {
            Turn::Billed
        } else {
            Turn::None
        }
    }

    /// What there is to do about a shopper's agreements.
    fn turns(self, index: usize) -> Turns {
        let first = index.saturating_mul(EACH);
        let last = first.saturating_add(EACH).min(self.agreements);
        (first..last).map(|number| self.turn(number)).collect()
    }

    fn is_one_of_due(self, number: usize, offset: usize) -> bool {
        let place = number.saturating_mul(self.due).saturating_add(offset);
        place
            .checked_rem(self.agreements)
            .is_some_and(|place| place < self.due)
    }
}

/// What it came to.
#[derive(Debug, Clone, serde::Serialize)]
pub struct DayFigures {
    /// How long the day run took, in seconds.
    pub seconds: f64,
    /// How many pieces of work were done.
    pub acted: u64,
    /// How many by each job.
    pub jobs: BTreeMap<&'static str, u64>,
}

/// How many agreements one shopper has.
const EACH: usize = 4;

/// The day that is run: one on which nothing else happens, after a first of April on which the late ones were due.
const DAY: Date = Date::constant(2026, 4, 16);

/// For how many days the late ones are late: a day on which they are reminded, and no debit is tried any more.
const LATE_DAYS: i64 = 15;

/// The hour of a morning at which people buy and a day's work is done.
const MORNING: i8 = 9;

/// The token of the card that everybody has.
const TOKEN: &str = "tok_bench_day";

/// How many shoppers are written at once: what PostgreSQL writes for many in one statement costs it half as much as for few.
const OUTSTANDING: usize = 256;

/// What the day run has to do about an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// It is due today: what fell due is booked, and debited.
    Due,
    /// It is due in some days: its bill is issued.
    Billed,
    /// It is late: the shopper is reminded.
    Late,
    /// Nothing: it was billed yesterday.
    None,
}

impl Turn {
    /// When its first instalment is due.
    fn first_due(self) -> Result<Date, String> {
        let first_due = match self {
            Turn::Due => Ok(DAY),
            Turn::Billed => add_days(DAY, BILL_DAYS_AHEAD),
            Turn::Late => add_days(DAY, LATE_DAYS.wrapping_neg()),
            Turn::None => add_days(DAY, BILL_DAYS_AHEAD - 1),
        };
        first_due.map_err(|e| e.to_string())
    }

    /// When it was bought.
    fn bought_on(self) -> Result<Date, String> {
        add_months(self.first_due()?, -1).map_err(|e| e.to_string())
    }
}

/// What a shopper's agreements have before them.
type Turns = Vec<Turn>;

/// Fills an empty store, and notes that yesterday's day run is done.
///
/// # Errors
/// What could not be done, in words; a store in which there is somebody already is refused.
pub async fn fill(store: Store, data: &Data, size: Size) -> Result<(), String> {
    let told = |e: fenqi_store::Fault| e.to_string();
    if !store.owners_after("", 1).await.map_err(told)?.is_empty() {
        return Err("somebody is in this store already; name an empty one".into());
    }
    if store.settings().await.map_err(told)?.1.is_empty() {
        market::open(&store, data).await.map_err(told)?;
    }
    let eve = add_days(DAY, -1).map_err(|e| e.to_string())?;
    let clock = Clock::standing(at(eve, MORNING)?);
    let (app, control) = sandbox(store, clock, data, seed().map_err(told)?)
        .await
        .map_err(told)?;
    control.time_is(app.clock.now());
    let (lives, limit) = (Arc::new(play(data, size).await?), limit(data)?);
    let app = Arc::new(app);
    let filler = app.clone();
    timed(size.agreements.div_ceil(EACH), OUTSTANDING, move |index| {
        let (app, lives) = (filler.clone(), lives.clone());
        async move {
            let life = lives.get(&size.turns(index)).ok_or("a life was not played")?;
            write(&app, life, limit, index).await.map(|()| true)
        }
    })
    .await?;
    // All that is left of yesterday is to publish what happened, and to roll it up.
    day::run(&app, eve)
        .await
        .map_err(|e| e.to_string())
        .and_then(clean)
}

/// What everybody may owe.
fn limit(data: &Data) -> Result<Amount, String> {
    let (_, price) = article(data)?;
    let most = i64::try_from(EACH).map_err(|e| e.to_string())?;
    price.times(most).map_err(|e| e.to_string())
}

fn at(day: Date, hour: i8) -> Result<Timestamp, String> {
    let time = day.at(hour, 0, 0, 0).to_zoned(zone());
    time.map(|time| time.timestamp()).map_err(|e| e.to_string())
}

/// A day run of which nothing failed.
fn clean(report: day::DayReport) -> Result<(), String> {
    let mut failed = report.jobs.into_iter().flat_map(|(_, job)| job.failed);
    failed.next().map_or(Ok(()), Err)
}

/// Writes one shopper with their life, in one commit.
async fn write(app: &App, life: &Life, limit: Amount, index: usize) -> Result<(), String> {
    let mut moment = app.moment();
    let later = u64::try_from(index).map_err(|e| e.to_string())?;
    // Shoppers came one after the other, so that their rows lie in the order in which they were written.
    let opened = at(Turn::Late.bought_on()?, 0)?;
    let since = SignedDuration::from_millis(i64::try_from(index).map_err(|e| e.to_string())?);
    moment.now = opened.checked_add(since).map_err(|e| e.to_string())?;
    let bits = |ids: &mut fenqi_domain::id::Ids| ids.next_bits() & ((1u128 << 80) - 1);
    let millis = u128::try_from(moment.now.as_millisecond()).map_err(|e| e.to_string())? << 80;
    let shopper = ShopperId::from_bits(millis | bits(&mut moment.ids));
    let card = CardId::from_bits(millis | bits(&mut moment.ids));
    let mut batch = Batch::new(&shopper.to_string());
    ready(app, &mut batch, (shopper, card), TOKEN, limit, &mut moment)?;
    life.copy(&mut batch, (shopper, card), later, &mut moment.ids);
    app.store.commit(batch).await.map_err(|e| e.to_string())
}

/// Plays each life that occurs among the shoppers of a size, up to the evening before the day.
async fn play(data: &Data, size: Size) -> Result<BTreeMap<Turns, Life>, String> {
    let told = |e: fenqi_store::Fault| e.to_string();
    let sqlite = Sqlite::temporary().map_err(told)?;
    sqlite.migrate(Timestamp::UNIX_EPOCH).map_err(told)?;
    let scribe = Arc::new(Scribe::new(Arc::new(sqlite)));
    let store = Store::new(scribe.clone(), Arc::new(keys().map_err(told)?));
    market::open(&store, data).await.map_err(told)?;
    let first = Turn::Late.bought_on()?;
    let clock = Clock::standing(at(first, 0)?);
    let (app, control) = sandbox(store, clock, data, seed().map_err(told)?)
        .await
        .map_err(told)?;
    // Who is due before the day finds the account of their card closed: they stay late, and no debit is tried again till they give another.
    let mut card = BankCard::new(Amount::ZERO);
    card.refuses_with = Some("account_closed".into());
    control.put_card(TOKEN, card);
    let mut people = BTreeMap::new();
    for index in 0..size.agreements.div_ceil(EACH) {
        if let Entry::Vacant(new) = people.entry(size.turns(index)) {
            new.insert(person(&app, limit(data)?).await?);
        }
    }
    scribe.begin();
    for (shopper, card) in people.values() {
        gives_mandate(&app, *shopper, *card).await?;
    }
    let mut today = first;
    while today < DAY {
        morning(&app, &control, today)?;
        for (turns, (shopper, card)) in &people {
            for turn in turns {
                if turn.bought_on()? == today {
                    buys(&app, data, (*shopper, *card), *turn).await?;
                }
            }
        }
        day::run(&app, today)
            .await
            .map_err(|e| e.to_string())
            .and_then(clean)?;
        today = add_days(today, 1).map_err(|e| e.to_string())?;
    }
    let mut lives = BTreeMap::new();
    for (turns, (shopper, card)) in people {
        lives.insert(turns, Life::of(&scribe, &app.store, shopper, card).await?);
    }
    Ok(lives)
}

fn morning(app: &App, control: &SandboxControl, day: Date) -> Result<(), String> {
    app.clock.forward(at(day, MORNING)?);
    control.time_is(app.clock.now());
    Ok(())
}

/// Makes somebody whose life is played.
async fn person(app: &App, limit: Amount) -> Result<(ShopperId, CardId), String> {
    let mut moment = app.moment();
    let own = (ShopperId::new(&mut moment.ids), CardId::new(&mut moment.ids));
    let mut batch = Batch::new(&own.0.to_string());
    ready(app, &mut batch, own, TOKEN, limit, &mut moment)?;
    app.store.commit(batch).await.map_err(|e| e.to_string())?;
    Ok(own)
}

async fn gives_mandate(app: &App, shopper: ShopperId, card: CardId) -> Result<(), String> {
    let command = ChangeMandate {
        shopper,
        institution: INSTITUTION.into(),
        card: Some(card),
        maximum: Amount::from_minor(1_000_000),
    };
    let key = Key::parse("mandate").map_err(|e| e.to_string())?;
    let actor = Actor::Shopper { id: shopper };
    let given = mandate::mandate(app, &actor, &key, command).await;
    given.map(drop).map_err(|e| e.to_string())
}

/// Buys the article, which ships at once.
async fn buys(
    app: &App,
    data: &Data,
    (shopper, card): (ShopperId, CardId),
    turn: Turn,
) -> Result<(), String> {
    let (sku, price) = article(data)?;
    let buyer = Buyer {
        shopper,
        card,
        quotes: vec![signed_quote(app, shopper, &sku, price).await?],
    };
    let bought = repay::captured(app, &buyer).await?;
    let bought = bought.ok_or("the purchase was refused")?;
    let file = app.store.agreement(shopper, bought).await;
    let file = file.map_err(|e| e.to_string())?.ok_or("the agreement is gone")?;
    let first_due = file.agreement.terms.due_dates.first().copied();
    if first_due != Some(turn.first_due()?) {
        return Err(format!("bought for {:?}, and due on {first_due:?}", turn));
    }
    Ok(())
}

/// Runs the day over a filled store, an hour after midnight, when messages wait for the morning.
///
/// # Errors
/// What could not be done, in words.
pub async fn run(store: Store, data: &Data) -> Result<DayFigures, String> {
    let told = |e: fenqi_store::Fault| e.to_string();
    let (_, done) = store.business_clock().await.map_err(told)?;
    let day = done.ok_or("fill the store first")?;
    let day = add_days(day, 1).map_err(|e| e.to_string())?;
    let clock = Clock::standing(at(day, 1)?);
    let (app, control) = sandbox(store, clock, data, seed().map_err(told)?)
        .await
        .map_err(told)?;
    control.time_is(app.clock.now());
    control.put_card(TOKEN, BankCard::new(Amount::from_minor(1_000_000_000_000)));
    let under_way = Misbehaviour::Pending(Lasting::Asks(1));
    control.always("bank", Operation::Debit, under_way);
    let start = instant();
    let report = day::run(&app, day).await.map_err(|e| e.to_string())?;
    let seconds = start.elapsed().as_secs_f64();
    let jobs: BTreeMap<_, _> = report.jobs.iter().map(|(job, done)| (*job, done.acted)).collect();
    clean(report)?;
    Ok(DayFigures {
        seconds,
        acted: jobs.values().sum(),
        jobs,
    })
}
