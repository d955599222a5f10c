//! What the staff do.

use fenqi_domain::money::Amount;

use super::{Player, Seen, Stop};
use crate::language::{Desk, Tending};
use crate::scenario::Step;

impl Player<'_> {
    pub(super) async fn tending(&mut self, _step: &Step, _who: Desk, _does: &Tending) -> Seen {
        Err(Stop::Impossible("missing".to_owned()))
    }

    pub(super) async fn disputes(&mut self, _step: &Step, _who: &str, _label: &str, _reason: &str) -> Seen {
        Err(Stop::Impossible("missing".to_owned()))
    }

    pub(super) async fn own_limit(
        &mut self,
        _step: &Step,
        _who: &str,
        _institution: &str,
        _limit: Option<Amount>,
    ) -> Seen {
        Err(Stop::Impossible("missing".to_owned()))
    }

    pub(super) async fn account(&mut self, _who: &str) -> Seen {
        Err(Stop::Impossible("missing".to_owned()))
    }

    pub(super) async fn notices(&mut self) -> Seen {
        Err(Stop::Impossible("missing".to_owned()))
    }
}
