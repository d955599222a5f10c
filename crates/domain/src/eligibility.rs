//! Eligibility (可用性): which plans can be had for which lines, and for each that cannot, every reason.
//!
//! A plan that cannot be had is shown with its reasons and never vanishes (R23). The reasons come in one order, the most
//! decisive first, so that the first one is what the shopper reads:
//!
//! 1. the law of the region
//! 2. the partnership ended
//! 3. the partnership is suspended
//! 4. the institution does not serve the region
//! 5. maintenance
//! 6. a technical fault
//! 7. the account: frozen, overdue, in dispute
//! 8. age
//! 9. the institution's answer: declined, pending
//! 10. the lines: product, promotion, seller, margin
//! 11. the number of instalments
//! 12. the down payment and the amount
//! 13. the campaign and its budget
//! 14. the cap on costs
//! 15. the limit
//!
//! What is merely still to be done (identity, application, card) is no reason against an offer: it comes with the offer
//! as its steps, and only a confirmation is refused for it.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::application::{Application, State};
use crate::calendar::Holidays;
use crate::credit::Line;
use crate::evidence::IdentityEvidence;
use crate::market::{
    Cart, CartLine, Institution, Outage, PartnershipState, Product, Region, RunningCampaign, Seller, Window,
};
use crate::money::{Amount, OutOfRange, Rate, Rounding};
use crate::plan::Plan;
use crate::quote::{Asking, Priced, price};
use crate::refusal::{Capability, Denied, Refusal};
use crate::standing::Standing;

mod doors;

pub use doors::{campaign_covers, closed_doors, is_open};

/// All that decides which plans can be had. Who asks may be unknown: then only the market's rules count.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The business time.
    pub now: Timestamp,
    /// The business day in the region's time zone.
    pub today: Date,
    /// Where the goods go.
    pub region: &'a Region,
    /// What is to be bought.
    pub cart: &'a Cart,
    /// The number of instalments that the shopper asks for, if they do.
    pub count: Option<u16>,
    /// What the shopper pays now; none for each plan's least.
    pub down_payment: Option<Amount>,
    /// The plans on sale, each in its newest version.
    pub plans: &'a [Plan],
    /// The institutions.
    pub institutions: &'a [Institution],
    /// The articles of the cart.
    pub products: &'a [Product],
    /// Their sellers.
    pub sellers: &'a [Seller],
    /// Maintenance, planned and running.
    pub windows: &'a [Window],
    /// Parties that fail at the moment.
    pub outages: &'a [Outage],
    /// Campaigns with what is left of their budgets.
    pub campaigns: &'a [RunningCampaign],
    /// The calendar of the region.
    pub holidays: &'a Holidays,
    /// Who asks, if that is known.
    pub shopper: Option<&'a Known>,
}

/// What is known of who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Known {
    /// What stands against new credit.
    pub standing: Standing,
    /// What was proved of their identity.
    pub identity: IdentityEvidence,
    /// The latest application at each institution.
    pub applications: Vec<Application>,
    /// The credit lines.
    pub lines: Vec<Line>,
    /// Whether a card is bound.
    pub has_card: bool,
}

impl Known {
    /// The latest application at an institution.
    pub fn application(&self, institution: &str) -> Option<&Application> {
        self.applications.iter().find(|a| a.institution == institution)
    }

    /// The credit line at an institution.
    pub fn line(&self, institution: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.institution == institution)
    }
}

/// What was found for one plan and one seller of the cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The plan.
    pub plan: String,
    /// Its version.
    pub plan_version: u32,
    /// How many instalments.
    pub count: u16,
    /// Who lends.
    pub institution: String,
    /// Whose lines.
    pub seller: String,
    /// Whether it can be had.
    pub answer: Answer,
}

/// Whether a plan can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// It can.
    Offered(Box<Offer>),
    /// It cannot.
    Unavailable {
        /// Every reason that holds, the most decisive first; never empty.
        refusals: Vec<Refusal>,
    },
}

/// A plan that can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What it would cost, for the lines that it covers.
    pub priced: Priced,
    /// Why wanted lines are not among them, one reason for each.
    pub left_out: Vec<Refusal>,
    /// What is still to be done before it can be confirmed, in that order.
    pub steps: Vec<Refusal>,
}

// R18, R23, R41: every plan is answered, line by line, with all reasons
/// Finds, for each plan in the cart's currency and each seller with wanted lines, whether it can be had (查询可用方案).
///
/// Plans come in the order given, which is neutral between institutions (R45). Where a number of instalments is asked
/// for, an institution's other plans are left out if it has that number, and refused by it if it has not.
///
/// # Errors
/// [`OutOfRange`] for prices that no cart has.
pub fn offers(case: &Case<'_>) -> Result<Vec<Outcome>, OutOfRange> {
    let groups = wanted_by_seller(case);
    let prices = groups
        .iter()
        .map(|(_, lines)| Amount::sum(lines.iter().map(|line| line.price)))
        .collect::<Result<Vec<Amount>, OutOfRange>>()?;
    // What is paid now is paid once, and shared by the sellers' parts of the cart.
    let down_payments = case
        .down_payment
        .map(|chosen| chosen.by_weights(&prices))
        .transpose()?;
    let mut outcomes = Vec::new();
    for plan in case.plans.iter().filter(|p| p.currency == case.cart.currency) {
        let other_count = case.count.filter(|count| *count != plan.count);
        if other_count.is_some_and(|count| counts_of(case, plan).contains(&count)) {
            continue;
        }
        for (place, (seller, lines)) in groups.iter().enumerate() {
            if is_paid_by_another(case, plan, seller) {
                continue;
            }
            let down_payment = down_payments.as_ref().and_then(|parts| parts.get(place).copied());
            let case = &Case {
                down_payment,
                ..*case
            };
            outcomes.push(Outcome {
                plan: plan.code.clone(),
                plan_version: plan.version,
                count: plan.count,
                institution: plan.institution.clone(),
                seller: (*seller).to_string(),
                answer: answer(case, plan, lines)?,
            });
        }
    }
    Ok(outcomes)
}

/// Whether a campaign that another seller pays for stands behind the plan: it is no plan for these goods.
fn is_paid_by_another(case: &Case<'_>, plan: &Plan, seller: &str) -> bool {
    let mut campaigns = case.campaigns.iter().map(|running| &running.campaign);
    plan.campaign
        .as_ref()
        .and_then(|code| campaigns.find(|campaign| campaign.code == *code))
        .is_some_and(|campaign| campaign.seller != seller)
}

/// The numbers of instalments that a plan's institution offers in the cart's currency, ascending.
fn counts_of(case: &Case<'_>, plan: &Plan) -> Vec<u16> {
    let mut counts: Vec<u16> = case
        .plans
        .iter()
        .filter(|p| p.institution == plan.institution && p.currency == case.cart.currency)
        .map(|p| p.count)
        .collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// The wanted lines by seller, in the order of the cart. Lines of unknown articles come under no seller's name.
fn wanted_by_seller<'a>(case: &Case<'a>) -> Vec<(&'a str, Vec<&'a CartLine>)> {
    let mut groups: Vec<(&str, Vec<&CartLine>)> = Vec::new();
    for line in case.cart.lines.iter().filter(|line| line.is_wanted) {
        let seller = product_of(case, &line.sku).map_or("", |product| product.seller.as_str());
        match groups.iter_mut().find(|group| group.0 == seller) {
            Some(group) => group.1.push(line),
            None => groups.push((seller, alloc::vec![line])),
        }
    }
    groups
}

/// The article of a number.
fn product_of<'a>(case: &Case<'a>, sku: &str) -> Option<&'a Product> {
    case.products.iter().find(|product| product.sku == sku)
}

/// Whether one plan can be had for one seller's wanted lines.
fn answer(case: &Case<'_>, plan: &Plan, wanted: &[&CartLine]) -> Result<Answer, OutOfRange> {
    let institution = case.institutions.iter().find(|i| i.code == plan.institution);
    let mut refusals = closed_doors(
        institution,
        &plan.institution,
        case.region,
        Capability::Offer,
        case.windows,
        case.outages,
        case.now,
    );
    refusals.extend(person_refusals(case, plan));
    let mut left_out = Vec::new();
    let mut lines = Vec::new();
    for line in wanted {
        match line_refusal(case, institution, line) {
            Some(refusal) => left_out.push(refusal),
            None => lines.push(*line),
        }
    }
    let covered = covered(case, plan, lines, &mut left_out);
    // Where nothing is left to finance, or too little, the lines that were left out are among the reasons.
    if !matches!(covered, Ok(Some(_))) {
        refusals.append(&mut left_out);
    }
    if case.count.is_some_and(|count| count != plan.count) {
        refusals.push(Refusal::CountNotOffered {
            counts: counts_of(case, plan),
        });
    }
    let priced = match covered {
        Ok(priced) => priced,
        Err(Denied::Refused(refusal)) => {
            refusals.push(refusal);
            None
        }
        Err(Denied::OutOfRange(fault)) => return Err(fault),
    };
    if let Some(priced) = &priced {
        refusals.extend(price_refusals(case, plan, priced)?);
    } else if let Some(refusal) = campaign_refusal(case, plan, Amount::ZERO) {
        refusals.push(refusal);
    }
    let steps = steps(case, plan);
    for down in steps_that_are_down(case, plan, &steps) {
        // One window can close several capabilities; it is one reason.
        if !refusals.iter().any(|known| is_same_window(known, &down)) {
            refusals.push(down);
        }
    }
    refusals.sort_by_key(rank);
    Ok(match priced {
        Some(priced) if refusals.is_empty() => Answer::Offered(Box::new(Offer {
            priced,
            left_out,
            steps,
        })),
        _ => Answer::Unavailable { refusals },
    })
}

/// The reasons that lie with who asks: standing, age, and an institution's answer that is open or no.
fn person_refusals(case: &Case<'_>, plan: &Plan) -> Vec<Refusal> {
    let Some(known) = case.shopper else {
        return Vec::new();
    };
    let mut refusals = known.standing.refusals();
    refusals.extend(known.identity.is_of_age(case.region.majority).err());
    let answer = known
        .application(&plan.institution)
        .and_then(|a| a.supports_purchase(case.today).err())
        .filter(|r| {
            matches!(
                r,
                Refusal::CreditDeclined { .. } | Refusal::ApplicationPending { .. }
            )
        });
    refusals.extend(answer);
    refusals
}

// R8: products, categories and promotions that are not financed are named by line
/// Why one line cannot be financed by an institution, whatever the plan.
fn line_refusal(case: &Case<'_>, institution: Option<&Institution>, line: &CartLine) -> Option<Refusal> {
    let excluded = || {
        Some(Refusal::ProductExcluded {
            sku: line.sku.clone(),
        })
    };
    let Some(product) = product_of(case, &line.sku) else {
        return excluded();
    };
    let is_excluded_here = institution.is_some_and(|i| {
        let in_category = i.partnership(&case.region.code, Some(&product.category), case.now);
        let is_shut = in_category.is_some_and(|p| p.category.is_some() && p.state > PartnershipState::Pilot);
        is_shut || i.excluded_categories.contains(&product.category)
    });
    if !product.is_financeable || is_excluded_here {
        return excluded();
    }
    if product.promotion.as_ref().is_some_and(|p| !p.is_financeable) {
        return Some(Refusal::PromotionExcluded {
            sku: line.sku.clone(),
        });
    }
    let is_covered = institution.is_some_and(|i| {
        case.sellers
            .iter()
            .any(|s| s.code == product.seller && s.institutions.contains(&i.code))
    });
    if institution.is_some() && !is_covered {
        return Some(Refusal::SellerExcluded {
            seller: product.seller.clone(),
            sku: line.sku.clone(),
        });
    }
    None
}

// R9: a seller is covered by the institutions that its terms name
/// The price of the plan for the lines that it covers, or nothing if it covers none.
///
/// A line on which the seller's share of the cost would pass its margin is left out, and the rest priced again (R10).
fn covered(
    case: &Case<'_>,
    plan: &Plan,
    mut lines: Vec<&CartLine>,
    left_out: &mut Vec<Refusal>,
) -> Result<Option<Priced>, Denied> {
    while !lines.is_empty() {
        let priced = price(Asking {
            plan,
            lines: &lines,
            down_payment: case.down_payment,
            price_factor: price_factor(case, plan),
            today: case.today,
            holidays: case.holidays,
        })?;
        let over = over_margin(case, &priced)?;
        if over.is_empty() {
            return Ok(Some(priced));
        }
        lines.retain(|line| !over.iter().any(|(sku, _)| *sku == line.sku));
        left_out.extend(over.into_iter().map(|(_, refusal)| refusal));
    }
    Ok(None)
}

/// What the institution multiplies its prices by for who asks.
fn price_factor(case: &Case<'_>, plan: &Plan) -> Rate {
    let application = case
        .shopper
        .and_then(|known| known.application(&plan.institution));
    match application.map(|a| &a.state) {
        Some(State::Approved { price_factor, .. }) => *price_factor,
        _ => Rate::ONE,
    }
}

// R10: the margin guard
/// The lines on which the seller's share of the cost passes what the article's margin allows.
fn over_margin(case: &Case<'_>, priced: &Priced) -> Result<Vec<(String, Refusal)>, OutOfRange> {
    if priced.cost.subsidy.is_zero() {
        return Ok(Vec::new());
    }
    let weights: Vec<Amount> = priced.lines.iter().map(|line| line.financed).collect();
    let costs = priced.cost.subsidy.by_weights(&weights)?;
    let mut over = Vec::new();
    for (line, cost) in priced.lines.iter().zip(costs) {
        let margin = product_of(case, &line.sku).map_or(Rate::ZERO, |p| p.margin_for_plans);
        let allowed = line.price.at(margin, Rounding::Down)?;
        if cost > allowed {
            let refusal = Refusal::MarginExceeded {
                sku: line.sku.clone(),
                cost,
                allowed,
            };
            over.push((line.sku.clone(), refusal));
        }
    }
    Ok(over)
}

/// The reasons that depend on what it would cost: the campaign, the cap, the limit.
fn price_refusals(case: &Case<'_>, plan: &Plan, priced: &Priced) -> Result<Vec<Refusal>, OutOfRange> {
    let cap = case.region.annual_cap.min(plan.conventions.late.annual_cap);
    let mut refusals: Vec<Refusal> = campaign_refusal(case, plan, priced.cost.subsidy)
        .into_iter()
        .collect();
    refusals.extend(priced.cost.within(cap).err());
    if let Some(line) = case.shopper.and_then(|known| known.line(&plan.institution)) {
        match line.has_room(priced.principal, priced.down_payment, case.today) {
            // An approval that ran out is asked for again: that is a step and no reason.
            Ok(()) | Err(Denied::Refused(Refusal::ApprovalExpired { .. })) => {}
            Err(Denied::Refused(refusal)) => refusals.push(refusal),
            Err(Denied::OutOfRange(fault)) => return Err(fault),
        }
    }
    Ok(refusals)
}

/// Why a campaign's plan cannot be had now.
fn campaign_refusal(case: &Case<'_>, plan: &Plan, cost: Amount) -> Option<Refusal> {
    let code = plan.campaign.as_ref()?;
    campaign_covers(code, case.campaigns, cost, case.now).err()
}

/// What is still to be done before a plan can be confirmed: identity, then the application, then the card.
fn steps(case: &Case<'_>, plan: &Plan) -> Vec<Refusal> {
    let institution = &plan.institution;
    let unknown = Known::default();
    let known = case.shopper.unwrap_or(&unknown);
    let identity = known.identity.is_enough(case.today).err();
    let ask = || Refusal::ApplicationRequired {
        institution: institution.clone(),
    };
    let application = match known.application(institution) {
        None => Some(ask()),
        Some(application) => {
            application
                .supports_purchase(case.today)
                .err()
                .or_else(|| match known.line(institution) {
                    Some(line) if line.expires_on < case.today => Some(Refusal::ApprovalExpired {
                        institution: institution.clone(),
                        on: line.expires_on,
                    }),
                    _ => None,
                })
        }
    };
    let card = (plan.needs_card && !known.has_card).then(|| Refusal::CardRequired {
        institution: institution.clone(),
    });
    identity
        .into_iter()
        .chain(application)
        .chain(card)
        .filter(|step| {
            !matches!(
                step,
                Refusal::CreditDeclined { .. } | Refusal::ApplicationPending { .. }
            )
        })
        .collect()
}

/// The steps that cannot be taken now because what they need is down.
fn steps_that_are_down(case: &Case<'_>, plan: &Plan, steps: &[Refusal]) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = Vec::new();
    let needed = steps.iter().filter_map(|step| match step {
        Refusal::IdentityRequired { .. } | Refusal::IdentityExpired { .. } => Some(Capability::Verify),
        Refusal::ApplicationRequired { .. } | Refusal::ApprovalExpired { .. } => Some(Capability::Apply),
        Refusal::CardRequired { .. } => Some(Capability::Bind),
        _ => None,
    });
    for capability in needed.chain([Capability::Confirm]) {
        let down = is_open(capability, &plan.institution, case.windows, &[], case.now).err();
        refusals.extend(down);
    }
    refusals
}

/// Whether two refusals name the same maintenance.
fn is_same_window(a: &Refusal, b: &Refusal) -> bool {
    match (a, b) {
        (
            Refusal::Maintenance { party, until, .. },
            Refusal::Maintenance {
                party: other,
                until: end,
                ..
            },
        ) => party == other && until == end,
        _ => a == b,
    }
}

/// The place of a reason in the order of this module's description.
fn rank(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::RegionLegal { .. } => 1,
        Refusal::InstitutionEnded { .. } => 2,
        Refusal::InstitutionSuspended { .. } => 3,
        Refusal::RegionCoverage { .. } => 4,
        Refusal::Maintenance { .. } => 5,
        Refusal::TemporaryFault { .. } => 6,
        Refusal::AccountFrozen { .. } | Refusal::OverdueExists { .. } | Refusal::OpenDispute { .. } => 7,
        Refusal::Underage { .. } => 8,
        Refusal::CreditDeclined { .. } | Refusal::ApplicationPending { .. } => 9,
        Refusal::ProductExcluded { .. }
        | Refusal::PromotionExcluded { .. }
        | Refusal::SellerExcluded { .. }
        | Refusal::MarginExceeded { .. } => 10,
        Refusal::CountNotOffered { .. } => 11,
        Refusal::DownPaymentTooSmall { .. }
        | Refusal::AmountBelowMinimum { .. }
        | Refusal::AmountAboveMaximum { .. } => 12,
        Refusal::CampaignOver { .. } | Refusal::BudgetSpent { .. } => 13,
        Refusal::CostAboveCap { .. } => 14,
        _ => 15,
    }
}
