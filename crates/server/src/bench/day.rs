//! The workload `day`: the day run over a store of agreements of which some are due on the day, and as many are late.

use std::sync::Arc;

use fenqi_app::App;
use fenqi_app::jobs::day;
use fenqi_domain::agreement::{Agreement, Capture, Funding, Stage};
use fenqi_domain::calendar::add_months;
use fenqi_domain::id::{AgreementId, OrderId, QuoteId, ShopperId};
use fenqi_domain::loan::{self, Event, Transaction};
use fenqi_domain::money::Amount;
use fenqi_domain::plan::{Plan, Terms};
use fenqi_domain::standing::Standing;
use fenqi_store::Batch;
use fenqi_store::tables::{agreements, shoppers, work};
use jiff::civil::Date;

use super::{instant, timed};
use crate::bench::people::PLAN;
use crate::data::Data;

/// How it is run.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How many agreements there are.
    pub agreements: usize,
    /// How many of them are due on the day; as many more are late.
    pub due: usize,
}

impl Size {
    /// Whether an agreement is one of so many that lie evenly among all, as `bench/day-fill.sql` lays them.
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

/// Fills the store and runs the day.
pub async fn run(app: &Arc<App>, data: &Data, size: Size) -> Result<DayFigures, String> {
    let plan = data
        .plans
        .iter()
        .find(|plan| plan.code == PLAN)
        .ok_or("the sample plan is missing")?
        .clone();
    let (filler, plan) = (app.clone(), Arc::new(plan));
    timed(size.agreements.div_ceil(EACH), 64, move |index| {
        let (app, plan) = (filler.clone(), plan.clone());
        async move { shopper(&app, &plan, index, size).await.map(|()| true) }
    })
    .await?;
    let today = app.moment().today;
    let start = instant();
    let report = day::run(app, today).await.map_err(|e| e.to_string())?;
    let seconds = start.elapsed().as_secs_f64();
    if let Some(failed) = report.jobs.iter().flat_map(|(_, job)| job.failed.first()).next() {
        return Err(failed.clone());
    }
    Ok(DayFigures {
        seconds,
        acted: report.jobs.iter().map(|(_, job)| job.acted).sum(),
    })
}

/// Writes one shopper with some agreements, in one commit.
async fn shopper(app: &App, plan: &Plan, index: usize, size: Size) -> Result<(), String> {
    let mut moment = app.moment();
    let shopper = ShopperId::new(&mut moment.ids);
    let owner = shopper.to_string();
    let mut batch = Batch::new(&owner);
    let (_, wrapped) = app.store.vault().new_key(&owner).map_err(|e| e.to_string())?;
    shoppers::opened(&mut batch, shopper, wrapped, &Standing::default(), moment.now);
    for place in 0..EACH {
        let number = index.saturating_mul(EACH).saturating_add(place);
        if number >= size.agreements {
            break;
        }
        // Some are due on the day, as many are late by ten days, the rest are due in a fortnight.
        let (signed_on, kind) = if size.is_one_of_due(number, 0) {
            (add_months(moment.today, -1), Some("age"))
        } else if size.is_one_of_due(number, size.agreements / 2) {
            (
                add_months(moment.today, -1).and_then(|d| fenqi_domain::calendar::add_days(d, -10)),
                Some("remind"),
            )
        } else {
            (
                add_months(moment.today, -1).and_then(|d| fenqi_domain::calendar::add_days(d, 14)),
                None,
            )
        };
        let signed_on = signed_on.map_err(|e| e.to_string())?;
        let agreement = agreement(plan, shopper, signed_on, &mut moment)?;
        write(&mut batch, &agreement, kind, &moment)?;
    }
    app.store.commit(batch).await.map_err(|e| e.to_string())
}

fn agreement(
    plan: &Plan,
    shopper: ShopperId,
    signed_on: Date,
    moment: &mut fenqi_app::Moment,
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
    kind: Option<&str>,
    moment: &fenqi_app::Moment,
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
    agreements::confirmed(batch, agreement, &order, &schedule);
    // As the capture would leave it: booked up to the day of signing, so that the day run books what fell due since.
    let owed = loan.outstanding().map_err(|e| e.to_string())?.principal;
    agreements::changed(
        batch,
        agreement,
        &agreement.stage,
        &loan,
        owed,
        Some(terms.signed_on),
    );
    agreements::transacted(batch, agreement, &disbursed, moment.now);
    let day = match kind {
        Some(_) => moment.today,
        None => terms.due_dates.first().copied().unwrap_or(moment.today),
    };
    work::planned(
        batch,
        &agreement.shopper.to_string(),
        kind.unwrap_or("age"),
        &agreement.id.to_string(),
        day,
    );
    Ok(())
}
