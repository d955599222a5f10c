//! Releases holds that ran out (冻结到期释放).

use jiff::civil::Date;

use crate::App;
use crate::checkout::cancel;
use crate::jobs::{self, Pages, Report};
use crate::outcome::Denied;
use crate::servicing::kinds;

/// Releases every hold whose time is over.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, Pages::of(kinds::EXPIRE, until), |piece| async move {
        cancel::expire(app, jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?).await
    })
    .await
}
