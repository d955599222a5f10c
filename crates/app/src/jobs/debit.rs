//! Debits what is due (自动扣款), on the days that the rule names.

use std::collections::BTreeSet;

use fenqi_domain::id::AgreementId;
use fenqi_store::tables::agenda::Task;
use jiff::civil::Date;

use crate::App;
use crate::jobs::{self, Due, Pages, Report};
use crate::outcome::Denied;
use crate::repayment::debit;

// R48: debits on the days of their plan
/// Tries every debit whose day has come, but for agreements whose debit this run has decided already.
pub async fn run(app: &App, until: Date, decided: &BTreeSet<AgreementId>) -> Result<Report, Denied> {
    let rules = &app.configuration().await?.rules;
    jobs::in_rounds(
        app,
        Pages::due(Task::Debit, until),
        |round: Vec<Due<AgreementId>>| async move {
            let is_open = |due: &Due<AgreementId>| !decided.contains(&due.subject);
            let open: Vec<_> = round.iter().copied().filter(is_open).collect();
            let mut tried = debit::debit(app, rules, &open).await.into_iter();
            let outcome = |due| match is_open(due) {
                true => tried.next().unwrap_or(Err(Denied::NotFound)),
                false => Ok(false),
            };
            round.iter().map(outcome).collect()
        },
    )
    .await
}
