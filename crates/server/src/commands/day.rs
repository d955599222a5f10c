//! `fenqi day`: the work that is due up to a business day.

use fenqi_app::jobs::day::{self, DayReport};
use fenqi_domain::calendar::days_between;
use fenqi_server::data::{Files, load};
use fenqi_server::wiring::{KeySource, Opening, clock, key_source, open, sandbox, seed};
use fenqi_store::Batch;
use fenqi_store::tables::clocks;
use jiff::civil::Date;

use super::{Done, complain, must_exist, must_last, say, told};

/// Its flags.
#[derive(clap::Args)]
pub struct Day {
    #[command(flatten)]
    at: crate::At,
    /// The business day up to which work is done; in a sandbox the clock is moved there, day by day
    #[arg(long, value_parser = super::business_day)]
    until: Option<Date>,
    /// Move the clock further than 400 days; it cannot be moved back
    #[arg(long)]
    far: bool,
}

/// How far the clock is moved at once unless somebody says that they mean it.
const FAR_DAYS: i64 = 400;

/// What a day came to, job by job.
fn done(report: &DayReport) -> String {
    let acted = report.jobs.iter().filter(|(_, job)| job.acted > 0);
    let jobs: Vec<String> = acted.map(|(name, job)| format!("{name} {}", job.acted)).collect();
    match jobs.as_slice() {
        [] => "nothing was due".to_owned(),
        jobs => jobs.join(", "),
    }
}

/// Runs each day in order. A day that was run does nothing more.
pub async fn run(command: Day) -> Done {
    must_last(&command.at.database)?;
    must_exist(&command.at.database)?;
    let store = open(&command.at.database, &Opening::default())
        .await
        .map_err(told)?;
    let data = load(&Files::embedded())
        .map_err(|problems| problems.iter().map(told).collect::<Vec<_>>().join("\n"))?;
    let business = clock(&store).await.map_err(told)?;
    let (app, _) = sandbox(store.clone(), business, &data, seed().map_err(told)?)
        .await
        .map_err(told)?;
    let mut today = app.day_of(app.clock.now());
    let until = command.until.unwrap_or(today);
    if until < today {
        return Err(format!(
            "{until} is over; today is {today}. Work that is late is done by `fenqi day` at any time"
        ));
    }
    if until > today && key_source().map_err(told)? == KeySource::Configured {
        return Err(format!(
            "today is {today}, and the clock of a store with keys of its own is the machine's; leave --until away, or \
             try the days ahead on a sandbox store, without FENQI_KEY and FENQI_INDEX_KEY"
        ));
    }
    let days = days_between(today, until);
    if days > FAR_DAYS && !command.far {
        return Err(format!(
            "{until} is {days} days ahead, and the clock cannot be moved back; add --far if that is meant, or name a day \
             no more than {FAR_DAYS} days ahead"
        ));
    }
    let mut clean = true;
    loop {
        let report = day::run(&app, today).await.map_err(told)?;
        clean &= report.is_clean();
        if command.at.json {
            say(serde_json::to_string(&report).map_err(told)?);
        } else {
            say(format!("{today}: {}", done(&report)));
        }
        for (job, failed) in report
            .jobs
            .iter()
            .flat_map(|(job, r)| r.failed.iter().map(move |f| (job, f)))
        {
            complain(format!("{job}: {failed}"));
        }
        if today >= until {
            return Ok(clean);
        }
        today = today.tomorrow().map_err(told)?;
        let ahead = app.clock.forward(app.instant_of(today, 9));
        let mut batch = Batch::new("clock");
        clocks::clock_set(&mut batch, ahead);
        store.commit(batch).await.map_err(told)?;
    }
}
