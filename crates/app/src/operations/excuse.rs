//! Excuses lateness that our own outage caused (I13): when a window has ended in which people could not pay, the days it
//! touched do not count as late for any loan with something due on them. A reconciler: it may run at any time, and twice.

use fenqi_domain::loan::Event;
use fenqi_domain::market::{MALL, PLATFORM as PLATFORM_PARTY, Window};
use fenqi_domain::refusal::Capability;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::work;
use jiff::civil::Date;

use crate::App;
use crate::jobs::{self, Pages, Report};
use crate::operations::{correction, each_active};
use crate::outcome::Denied;
use crate::repayment::payments::CHANNEL;
use crate::servicing;
use crate::unit::Decision;

/// The kind of work: a window whose days are to be excused once it has ended.
pub const KIND: &str = "excuse";

/// Excuses the days of every window that ended up to a day.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, Pages::of(KIND, until), |piece| async move {
        let configuration = app.configuration().await?;
        let window = configuration.windows.iter().find(|w| w.code == piece.subject);
        let now = app.clock.now();
        let ended = window.and_then(|w| w.until.filter(|until| *until <= now).map(|until| (w, until)));
        let Some((window, until)) = ended else {
            return Ok(false);
        };
        let days = (app.day_of(window.from), app.day_of(until));
        for round in each_active(app).await?.chunks(ROUND) {
            let read = |keys: Vec<_>| async move { app.store.agreement_files(&keys).await };
            let excused = app.steps(round, read, |_, file| excuse(app, window, &file, days));
            // Whoever could not be excused is tried again with the whole window; the others are not excused twice.
            excused.await.into_iter().collect::<Result<Vec<()>, _>>()?;
        }
        let mut batch = Batch::new(&piece.shopper);
        work::done(&mut batch, &piece.shopper, KIND, &piece.subject);
        app.store.commit(batch).await?;
        Ok(true)
    })
    .await
}

/// Whether a window keeps people from paying: repayment is down, or the channel that it goes by.
pub(super) fn bars_payment(window: &Window) -> bool {
    window.party == CHANNEL || window.capabilities.contains(&Capability::Repay)
}

/// How many loans are read in one snapshot and written together.
const ROUND: usize = 128;

/// Excuses the days for one loan, if something was due on them and they are not excused yet.
fn excuse(
    app: &App,
    window: &Window,
    file: &AgreementFile,
    (from, until): (Date, Date),
) -> Result<Decision<()>, Denied> {
    let mut moment = app.moment();
    let agreement = &file.agreement;
    let mut batch = Batch::new(&agreement.shopper.to_string());
    let ours = [MALL, PLATFORM_PARTY, CHANNEL].contains(&window.party.as_str());
    let concerns = ours || agreement.institution == window.party;
    let event = Event::Excused { from, until };
    let is_done = file.transactions.iter().any(|t| t.event == event);
    // What was open at the end of the window's last day might have been paid in it.
    let was_due = servicing::fold(file, until)?.payable()?.total()?;
    if concerns && !is_done && was_due.is_positive() {
        let detail = serde_json::json!({ "window": window.code, "from": from, "until": until });
        let change = correction((moment.today, event), "agreement.excused", detail);
        servicing::amend(&mut batch, file, change, &mut moment)?;
    }
    Ok(Decision { batch, reply: () })
}
