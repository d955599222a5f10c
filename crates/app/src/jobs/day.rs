//! The day run (日终): every job for what is due up to a business day, in order. It is never needed for a right answer:
//! every answer is a fold of what is known. It issues, debits, reminds and books for those whom nobody touched.

use fenqi_store::Batch;
use fenqi_store::tables::clocks;
use jiff::civil::Date;
use serde::Serialize;

use crate::App;
use crate::jobs::age::Followed;
use crate::jobs::{self, Report};
use crate::operations::{approve, excuse};
use crate::outcome::Denied;

/// What a day run did, job by job in the order in which they ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayReport {
    /// The business day up to which work was done.
    pub until: Date,
    /// Each job with what it did.
    pub jobs: Vec<(&'static str, Report)>,
}

impl DayReport {
    /// Whether nothing failed.
    pub fn is_clean(&self) -> bool {
        self.jobs.iter().all(|(_, report)| report.failed.is_empty())
    }
}

/// Runs every job up to a day, today at the latest: what lies ahead is not due. Run twice it does nothing more. A job that
/// cannot go on is told with what was wrong, and holds back no other.
///
/// Errors: a fault of the store when the day is marked as done.
pub async fn run(app: &App, until: Date) -> Result<DayReport, Denied> {
    let until = until.min(app.moment().today);
    // Answers first, so that nothing is debited, chased or ended that has been settled meanwhile.
    let mut done = vec![
        ("payments", jobs::ask::payments(app).await),
        ("applications", jobs::ask::applications(app, until).await),
        ("returns", jobs::ask::returns(app, until).await),
        ("expire", jobs::expire::run(app, until).await),
        ("excuse", excuse::run(app, until).await),
        ("fund", jobs::fund::run(app, until).await),
    ];
    // What falls due is debited, or reminded of, as it is booked; what was due before is left for the jobs that follow.
    let (aged, report) = match jobs::age::run(app, until).await {
        Ok(aged) => (aged.followed, Ok(aged.report)),
        Err(error) => (Followed::default(), Err(error)),
    };
    let billed = jobs::bill::run(app, until).await;
    let debited = jobs::debit::run(app, until, &aged.decided).await;
    let reminded = jobs::remind::run(app, until).await;
    done.extend([
        ("age", report),
        ("bill", billed),
        ("debit", debited.map(|report| report.and(aged.debited))),
        ("remind", reminded.map(|report| report.and(aged.reminded))),
        ("pay_out", jobs::pay_out::run(app, until).await),
        ("deliver", jobs::deliver::run(app, until).await),
        ("publish", jobs::publish::run(app, "day").await),
        ("roll_up", jobs::roll_up::run(app).await),
        ("forget", jobs::forget::run(app).await),
        ("proposals", approve::expire(app).await.map(Report::all)),
    ]);
    let jobs = done.into_iter().map(|(job, ended)| (job, Report::of(ended)));
    let jobs: Vec<_> = jobs.collect();
    let mut batch = Batch::new("clock");
    clocks::day_done(&mut batch, until);
    app.store.commit(batch).await?;
    Ok(DayReport { until, jobs })
}
