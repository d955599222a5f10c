//! Asks for what has not been answered (查询未知结果): payments, applications, and returns past their date.

use fenqi_domain::id::PaymentId;
use jiff::civil::Date;

use crate::App;
use crate::checkout::apply;
use crate::jobs::{self, Due, Pages, Report};
use crate::outcome::Denied;
use crate::repayment::payments::{self, Begun};
use crate::repayment::{answer_return, bounce};
use crate::servicing::kinds;

/// Applies notices that were kept, and asks the bank about payments that are under way.
pub async fn payments(app: &App) -> Result<Report, Denied> {
    let heard = bounce::apply_kept(app).await?;
    let asked = jobs::in_rounds(
        app,
        Pages::OpenPayments { after: None },
        |round: Vec<Due<PaymentId>>| async move {
            let open = payments::open(app, &Due::keys(&round)).await;
            let pieces = round.into_iter().zip(open).collect();
            jobs::side_by_side(pieces, |_, open| pursued(app, open)).await
        },
    )
    .await?;
    Ok(heard.with(asked))
}

/// Asks about one payment, unless it has ended meanwhile; says whether it has ended.
async fn pursued(app: &App, open: Result<Option<Begun>, Denied>) -> Result<bool, Denied> {
    match open? {
        Some(begun) => Ok(!payments::carry_out(app, begun).await?.state.is_open()),
        None => Ok(true),
    }
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
