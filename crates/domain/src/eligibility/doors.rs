//! The doors of the market: what stands between any shopper and a new agreement, whoever they are.

use alloc::string::ToString;
use alloc::vec::Vec;

use jiff::Timestamp;

use crate::market::{Institution, Outage, PartnershipState, Region, RunningCampaign, Window};
use crate::money::Amount;
use crate::refusal::{Capability, Refusal};

// R2, R3, R16: law, partnership and coverage are looked at first
/// What stands between any shopper and a new agreement at an institution: law, partnership, coverage, windows, faults.
pub fn closed_doors(
    institution: Option<&Institution>,
    code: &str,
    region: &Region,
    capability: Capability,
    windows: &[Window],
    outages: &[Outage],
    now: Timestamp,
) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if !region.is_allowed {
        refusals.push(Refusal::RegionLegal {
            region: region.code.clone(),
        });
    }
    let partnership = institution.and_then(|i| i.partnership(&region.code, None, now));
    match partnership.map(|p| (p.state, p)) {
        Some((PartnershipState::Active | PartnershipState::Pilot, _)) => {}
        Some((PartnershipState::Suspended, entry)) => refusals.push(Refusal::InstitutionSuspended {
            institution: code.to_string(),
            region: entry.region.clone(),
            until: entry.until,
        }),
        Some((PartnershipState::RunOff | PartnershipState::Ended, _)) | None => {
            refusals.push(Refusal::InstitutionEnded {
                institution: code.to_string(),
            });
        }
    }
    if institution.is_some_and(|i| !i.serves(&region.code)) {
        refusals.push(Refusal::RegionCoverage {
            institution: code.to_string(),
            region: region.code.clone(),
        });
    }
    refusals.extend(is_open(capability, code, windows, outages, now).err());
    refusals
}

// R5, R7: maintenance and faults close one capability of one party
/// Whether a capability can be used with an institution at an instant: maintenance first, then faults (R5, R7).
///
/// # Errors
/// [`Refusal::Maintenance`] of the window that is expected to last longest, or [`Refusal::TemporaryFault`].
pub fn is_open(
    capability: Capability,
    institution: &str,
    windows: &[Window],
    outages: &[Outage],
    now: Timestamp,
) -> Result<(), Refusal> {
    let window = windows
        .iter()
        .filter(|w| w.closes(capability, institution, now))
        .max_by_key(|w| w.until.unwrap_or(Timestamp::MAX));
    if let Some(window) = window {
        return Err(Refusal::Maintenance {
            party: window.party.clone(),
            capability,
            until: window.until,
        });
    }
    outages
        .iter()
        .filter(|o| o.stops(institution, now))
        .max_by_key(|o| o.retry_after)
        .map_or(Ok(()), |outage| {
            Err(Refusal::TemporaryFault {
                party: outage.party.clone(),
                retry_after: outage.retry_after,
            })
        })
}

// H5: campaigns have a time and a budget
/// Whether a campaign runs and its budget bears a cost (H5).
///
/// # Errors
/// [`Refusal::CampaignOver`] before, after, and for a campaign that nobody knows; [`Refusal::BudgetSpent`].
pub fn campaign_covers(
    code: &str,
    campaigns: &[RunningCampaign],
    cost: Amount,
    now: Timestamp,
) -> Result<(), Refusal> {
    let campaign = code.to_string();
    match campaigns.iter().find(|c| c.campaign.code == code) {
        Some(running) if running.is_running(now) => {
            if running.remaining < cost || !running.remaining.is_positive() {
                Err(Refusal::BudgetSpent { campaign })
            } else {
                Ok(())
            }
        }
        _ => Err(Refusal::CampaignOver { campaign }),
    }
}
