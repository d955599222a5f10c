//! The workload `day`: the day run over a store of agreements of which some are due on the day, as many are due on the
//! day for which bills are issued, and as many are late. Every shopper has given a mandate, and the bank takes each debit
//! as one that is under way (处理中), as banks do with debits by the file: what the day run asks for is asked for, and
//! answered later.

use std::sync::Arc;

use fenqi_app::jobs::day;
use fenqi_app::servicing::BILL_DAYS_AHEAD;
use fenqi_app::{App, Clock, Moment};
use fenqi_connect::bank::Card as BankCard;
use fenqi_connect::script::{Lasting, Misbehaviour, Operation};
use fenqi_domain::agreement::{Agreement, Capture, Funding, Stage};
use fenqi_domain::calendar::{add_days, add_months};
use fenqi_domain::id::{AgreementId, CardId, OrderId, QuoteId, ShopperId};
use fenqi_domain::loan::{self, Event, Transaction};
use fenqi_domain::money::Amount;
use fenqi_domain::plan::{Plan, Terms};
use fenqi_domain::standing::Standing;
use fenqi_store::Batch;
use fenqi_store::tables::agenda::Days;
use fenqi_store::tables::payments::{self, Card, Mandate};
use fenqi_store::tables::{agreements, clocks, shoppers};
use jiff::civil::Date;

use super::{instant, platform, timed};
use crate::bench::people::PLAN;
use crate::data::Data;
use crate::wiring::{Database, Opening, open, sandbox, seed, zone};

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
}

/// How many agreements one shopper has.
const EACH: usize = 4;

/// For how many days the late ones are late: a day on which no debit is tried.
const LATE_DAYS: i64 = 9;

/// The token of the card that everybody has.
const TOKEN: &str = "tok_bench_day";

/// What the day run has to do about an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// It is due today: what fell due is booked, and debited.
    Due,
    /// It is due in some days: its bill is issued.
    Billed,
    /// It is late: the shopper is reminded.
    Late,
    /// Nothing.
    None,
}

/// Fills an empty store, and notes that yesterday's day run is done.
pub async fn fill(database: &Database, size: Size) -> Result<(), String> {
    let (app, data) = platform(database, &Opening::default()).await?;
    let today = app.moment().today;
    let day = add_days(today, 1).map_err(|e| e.to_string())?;
    let plan = data.plans.iter().find(|plan| plan.code == PLAN);
    let plan = Arc::new(plan.ok_or("the sample plan is missing")?.clone());
    let filler = app.clone();
    timed(size.agreements.div_ceil(EACH), 64, move |index| {
        let (app, plan) = (filler.clone(), plan.clone());
        async move { shopper(&app, &plan, day, index, size).await.map(|()| true) }
    })
    .await?;
    let mut batch = Batch::new("clock");
    clocks::day_done(&mut batch, today);
    app.store.commit(batch).await.map_err(|e| e.to_string())
}

/// Runs the day over a filled store, an hour after midnight, when messages wait for the morning.
pub async fn run(database: &Database, data: &Data) -> Result<DayFigures, String> {
    let told = |e: fenqi_store::Fault| e.to_string();
    let store = open(database, &Opening::default()).await.map_err(told)?;
    let (_, done) = store.business_clock().await.map_err(told)?;
    let day = done.ok_or("fill the store first")?;
    let day = add_days(day, 1).map_err(|e| e.to_string())?;
    let night = day.at(1, 0, 0, 0).to_zoned(zone()).map_err(|e| e.to_string())?;
    let clock = Clock::standing(night.timestamp());
    let (app, control) = sandbox(store, clock, data, seed().map_err(told)?)
        .await
        .map_err(told)?;
    control.put_card(TOKEN, BankCard::new(Amount::from_minor(1_000_000_000_000)));
    let under_way = Misbehaviour::Pending(Lasting::Asks(1));
    control.always("bank", Operation::Debit, under_way);
    let start = instant();
    let report = day::run(&app, day).await.map_err(|e| e.to_string())?;
    let seconds = start.elapsed().as_secs_f64();
    if let Some(failed) = report.jobs.iter().flat_map(|(_, job)| job.failed.first()).next() {
        return Err(failed.clone());
    }
    Ok(DayFigures {
        seconds,
        acted: report.jobs.iter().map(|(_, job)| job.acted).sum(),
    })
}

/// Writes one shopper with a card, a mandate and some agreements, in one commit.
async fn shopper(app: &App, plan: &Plan, day: Date, index: usize, size: Size) -> Result<(), String> {
    let mut moment = app.moment();
    let shopper = ShopperId::new(&mut moment.ids);
    let owner = shopper.to_string();
    let mut batch = Batch::new(&owner);
    let (_, wrapped) = app.store.vault().new_key(&owner).map_err(|e| e.to_string())?;
    shoppers::opened(&mut batch, shopper, wrapped, &Standing::default(), moment.now);
    mandate(&mut batch, shopper, plan, &mut moment);
    for place in 0..EACH {
        let number = index.saturating_mul(EACH).saturating_add(place);
        if number >= size.agreements {
            break;
        }
        let turn = size.turn(number);
        // Those with nothing to do were billed yesterday, and are due in the days after the next.
        let first_due = match turn {
            Turn::Due => Ok(day),
            Turn::Billed => add_days(day, BILL_DAYS_AHEAD),
            Turn::Late => add_days(day, -LATE_DAYS),
            Turn::None => add_days(day, BILL_DAYS_AHEAD - 1),
        };
        let signed_on = first_due.and_then(|due| add_months(due, -1));
        let signed_on = signed_on.map_err(|e| e.to_string())?;
        let agreement = agreement(plan, shopper, signed_on, &mut moment)?;
        write(&mut batch, &agreement, turn, day, &moment)?;
    }
    app.store.commit(batch).await.map_err(|e| e.to_string())
}

fn mandate(batch: &mut Batch, shopper: ShopperId, plan: &Plan, moment: &mut Moment) {
    let card = CardId::new(&mut moment.ids);
    let bound = Card {
        id: card,
        token: TOKEN.into(),
        bank: "示例银行".into(),
        last4: "0000".into(),
        state: "bound".into(),
        bound_at: moment.now,
        version: 1,
    };
    payments::bound(batch, shopper, &bound);
    let given = Mandate {
        institution: plan.institution.clone(),
        card,
        state: "given".into(),
        maximum: Amount::from_minor(1_000_000),
        given_at: moment.now,
    };
    payments::mandated(batch, shopper, &given);
}

fn agreement(
    plan: &Plan,
    shopper: ShopperId,
    signed_on: Date,
    moment: &mut Moment,
) -> Result<Agreement, String> {
    let months = (1..=i32::from(plan.count)).map(|month| add_months(signed_on, month));
    let terms = Terms {
        currency: plan.currency,
        principal: Amount::from_minor(120_000),
        pricing: plan.pricing,
        borne_by_seller: plan.borne_by_seller,
        signed_on,
        due_dates: months.collect::<Result<_, _>>().map_err(|e| e.to_string())?,
        conventions: plan.conventions.clone(),
    };
    let capture = Capture {
        number: 1,
        amount: terms.principal,
        on: signed_on,
        funding: Funding::Funded {
            reference: "bench".into(),
            at: moment.now,
        },
    };
    Ok(Agreement {
        id: AgreementId::new(&mut moment.ids),
        shopper,
        institution: plan.institution.clone(),
        seller: "bench".into(),
        plan: plan.code.clone(),
        plan_version: plan.version,
        order: OrderId::new(&mut moment.ids),
        quote: QuoteId::new(&mut moment.ids),
        lines: Vec::new(),
        terms,
        stage: Stage::Active {
            held: Amount::ZERO,
            expires_at: moment.now,
            captures: vec![capture],
        },
        digest: String::new(),
        confirmed_at: moment.now,
        version: 1,
    })
}

fn write(
    batch: &mut Batch,
    agreement: &Agreement,
    turn: Turn,
    day: Date,
    moment: &Moment,
) -> Result<(), String> {
    let terms = &agreement.terms;
    let event = Event::Disbursed {
        amount: terms.principal,
    };
    let disbursed = Transaction {
        number: 1,
        effective_on: terms.signed_on,
        event,
    };
    let loan =
        loan::fold(terms, std::slice::from_ref(&disbursed), terms.signed_on).map_err(|e| e.to_string())?;
    let order = agreements::OrderRow {
        reference: "bench",
        price: terms.principal,
    };
    let schedule = terms.schedule(terms.principal).map_err(|e| e.to_string())?;
    agreements::confirmed(batch, agreement, &order, &schedule, day);
    // As the capture would leave it: booked up to the day of signing, so that the day run books what fell due since.
    let owed = loan.outstanding().map_err(|e| e.to_string())?.principal;
    let to = agreements::Changed {
        before: agreement,
        stage: &agreement.stage,
        loan: &loan,
        outstanding: owed,
        booked_on: Some(terms.signed_on),
        days: Some(days_of(agreement, turn, day).ok_or("the plan has no two instalments")?),
    };
    agreements::changed(batch, &to);
    agreements::transacted(batch, agreement, &disbursed, moment.now);
    Ok(())
}

/// The days that the platform would have noted by now.
fn days_of(agreement: &Agreement, turn: Turn, day: Date) -> Option<Days> {
    let mut due_dates = agreement.terms.due_dates.iter().copied();
    let (first, second) = (due_dates.next()?, due_dates.next()?);
    let bill = |due| add_days(due, -BILL_DAYS_AHEAD).ok();
    let remind = |due| add_days(due, -7).ok();
    // Their first bill is out; the second follows from booking the first due date.
    let waits = Days {
        expire: None,
        age: Some(first),
        bill: None,
        debit: Some(first),
        remind: remind(first),
    };
    Some(match turn {
        Turn::None => waits,
        Turn::Due => Days {
            remind: Some(day),
            ..waits
        },
        Turn::Billed => Days {
            bill: Some(day),
            ..waits
        },
        Turn::Late => Days {
            expire: None,
            age: Some(second),
            bill: bill(second),
            debit: add_days(day, 1).ok(),
            remind: Some(day),
        },
    })
}
