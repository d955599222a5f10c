//! Debits what is due (自动扣款), on the days that the rule names.

use jiff::civil::Date;

use crate::App;
use crate::jobs::{self, Report};
use crate::outcome::Denied;
use crate::repayment::debit;
use crate::servicing::kinds;

/// Tries every debit whose day has come.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, kinds::DEBIT, until, |piece| async move {
        debit::debit(app, jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?).await
    })
    .await
}
