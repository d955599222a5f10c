//! Debits what is due (自动扣款), on the days that the rule names.

use fenqi_domain::id::AgreementId;
use jiff::civil::Date;

use crate::App;
use crate::jobs::{self, Due, Report};
use crate::outcome::Denied;
use crate::repayment::debit;
use crate::servicing::kinds;

/// Tries every debit whose day has come.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    let rule = &app.configuration().await?.rules.debit;
    jobs::in_rounds(
        app,
        kinds::DEBIT,
        until,
        |round: Vec<Due<AgreementId>>| async move { debit::debit(app, rule, &round).await },
    )
    .await
}
