//! Releases holds that ran out (冻结到期释放).

use fenqi_store::tables::agenda::Task;
use jiff::civil::Date;

use crate::App;
use crate::checkout::cancel;
use crate::jobs::{self, Pages, Report};
use crate::outcome::Denied;

/// Releases every hold whose time is over.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::each(app, Pages::due(Task::Expire, until), |piece| async move {
        cancel::expire(app, jobs::named(&piece.shopper)?, jobs::named(&piece.subject)?).await
    })
    .await
}
