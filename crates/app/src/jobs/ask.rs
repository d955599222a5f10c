//! Asks for what has not been answered (查询未知结果): payments, applications, and returns past their date.

use jiff::civil::Date;

use crate::App;
use crate::checkout::apply;
use crate::jobs::{self, Pages, Report};
use crate::outcome::Denied;
use crate::repayment::{answer_return, bounce, payments};
use crate::servicing::kinds;

/// Applies notices that were kept, and asks the bank about payments that are under way.
pub async fn payments(app: &App) -> Result<Report, Denied> {
    let heard = bounce::apply_kept(app).await?;
    let asked = jobs::each(app, Pages::OpenPayments { after: None }, |piece| async move {
        let payment =
            payments::pursue(app, jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?).await?;
        Ok(!payment.state.is_open())
    })
    .await?;
    Ok(heard.with(asked))
}

/// Asks institutions about applications.
pub async fn applications(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, Pages::of(kinds::ASSESS, until), |piece| async move {
        apply::pursue(app, jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?).await?;
        Ok(true)
    })
    .await
}

/// Passes returns whose sellers stayed silent over to the platform.
pub async fn returns(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, Pages::of(kinds::RETURN, until), |piece| async move {
        answer_return::escalate(app, jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?).await
    })
    .await
}
