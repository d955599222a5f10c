//! Releases holds that ran out (冻结到期释放).

use fenqi_domain::id::AgreementId;
use fenqi_store::tables::agenda::Task;
use jiff::civil::Date;

use crate::App;
use crate::checkout::cancel;
use crate::jobs::{self, Due, Pages, Report};
use crate::outcome::Denied;

/// Releases every hold whose time is over.
pub async fn run(app: &App, until: Date) -> Result<Report, Denied> {
    jobs::in_rounds(
        app,
        Pages::due(Task::Expire, until),
        |round: Vec<Due<AgreementId>>| async move { cancel::expire(app, &round).await },
    )
    .await
}
