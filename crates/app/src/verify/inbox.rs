//! Notices of the channel against the payments: each is about one of ours.

use crate::App;
use crate::outcome::Denied;
use crate::repayment::payments::CHANNEL;
use crate::verify::Found;

/// Tells each notice that was parked because it names nothing of ours: the channel is to be asked about it.
pub(super) async fn parked(app: &App, found: &mut Found) -> Result<(), Denied> {
    for (notice, body) in app.store.parked_notices(CHANNEL).await? {
        found.note("notice", &notice, &"a payment of ours", &body);
    }
    Ok(())
}
