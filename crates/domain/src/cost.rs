//! The cost sheet (综合融资成本明示表): everything that financing costs, by whom it is borne and to whom it goes.
//!
//! Since 1 August 2026 it is shown before signing (金规〔2026〕2号): each cost with its basis and payee, the annual cost when
//! all goes as agreed, and what would come on top when it does not.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::annual_rate::{AnnualRates, of_payments};
use crate::calendar::DayCount;
use crate::money::{Amount, Currency, OutOfRange, Rate};
use crate::plan::{Component, FeeTiming, Instalment, Pricing, Settlement, Terms};
use crate::refusal::Refusal;

/// What a cost is a share of (计费基础).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Basis {
    /// Of the financed principal, once for the whole plan.
    Principal {
        /// The share.
        rate: Rate,
        /// When it is paid.
        timing: FeeTiming,
    },
    /// Of what is outstanding, by the year.
    Outstanding {
        /// The annual rate.
        annual: Rate,
        /// How days and years are counted.
        day_count: DayCount,
    },
}

/// One cost of financing when all goes as agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostItem {
    /// Interest or fee.
    pub component: Component,
    /// What it is a share of.
    pub basis: Basis,
    /// To whom it goes: an institution's code.
    pub payee: String,
    /// All of it, before the seller's share (原价).
    pub origin: Amount,
    /// What the shopper bears (实付).
    pub by_shopper: Amount,
    /// What the seller bears (贴息).
    pub by_seller: Amount,
}

/// A cost that comes only if something does not go as agreed (或有成本).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Contingent {
    /// A fee for each instalment that is still unpaid when grace ends (滞纳金).
    LateFee {
        /// How much.
        amount: Amount,
        /// Days after the due date in which nothing is charged.
        grace_days: u16,
        /// To whom it goes.
        payee: String,
    },
    /// Interest on what is overdue (罚息).
    PenaltyInterest {
        /// A day.
        daily: Rate,
        /// A year of 365 days.
        annual: Rate,
        /// Days after the due date in which nothing is charged.
        grace_days: u16,
        /// Whether it then counts from the due date.
        from_due_date: bool,
        /// To whom it goes.
        payee: String,
    },
    /// What settling early costs (提前结清费用).
    EarlySettlement {
        /// By which method.
        method: Settlement,
        /// To whom it goes.
        payee: String,
    },
}

// R42: what it costs, to whom, by the year
/// The cost sheet of one quote (综合融资成本明示表).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostDisclosure {
    /// The currency.
    pub currency: Currency,
    /// The price of the goods.
    pub price: Amount,
    /// What is paid now (首付).
    pub down_payment: Amount,
    /// What is financed.
    pub principal: Amount,
    /// How many instalments.
    pub count: u16,
    /// Each cost when all goes as agreed.
    pub items: Vec<CostItem>,
    /// What the shopper bears of them.
    pub total_cost: Amount,
    /// What the seller bears of them.
    pub subsidy: Amount,
    /// What they would come to without the seller's share (原价).
    pub origin_cost: Amount,
    /// All instalments: principal and what the shopper bears.
    pub total_payment: Amount,
    /// What the shopper's cost is in a year.
    pub annual: AnnualRates,
    /// What it would be without the seller's share.
    pub origin_annual: AnnualRates,
    /// What may come on top.
    pub contingent: Vec<Contingent>,
}

impl CostDisclosure {
    /// The cost sheet of a schedule under its terms, at an institution.
    ///
    /// # Errors
    /// [`OutOfRange`] for figures that no schedule of the terms has.
    pub fn of(
        terms: &Terms,
        schedule: &[Instalment],
        price: Amount,
        institution: &str,
    ) -> Result<CostDisclosure, OutOfRange> {
        let (mut total_cost, mut subsidy) = (Amount::ZERO, Amount::ZERO);
        for row in schedule {
            total_cost = total_cost.plus(row.interest)?.plus(row.fee)?;
            subsidy = subsidy.plus(row.subsidy)?;
        }
        let origin_cost = total_cost.plus(subsidy)?;
        let principal = terms.principal;
        let annual = rates(principal, schedule.iter().map(Instalment::due))?;
        let origin_annual = if subsidy.is_zero() {
            annual
        } else {
            rates(principal, schedule.iter().map(Instalment::origin))?
        };
        let item = |component, basis| CostItem {
            component,
            basis,
            payee: institution.to_string(),
            origin: origin_cost,
            by_shopper: total_cost,
            by_seller: subsidy,
        };
        let items = match terms.pricing {
            Pricing::FlatFee {
                total_rate, timing, ..
            } => vec![item(
                Component::Fee,
                Basis::Principal {
                    rate: total_rate,
                    timing,
                },
            )],
            pricing => {
                let basis = pricing.interest();
                let basis = basis.map(|(annual, day_count)| Basis::Outstanding { annual, day_count });
                let items = basis.map(|basis| item(Component::Interest, basis));
                items.into_iter().collect()
            }
        };
        Ok(CostDisclosure {
            currency: terms.currency,
            price,
            down_payment: price.minus(principal)?,
            principal,
            count: u16::try_from(schedule.len()).map_err(|_| OutOfRange("the number of instalments"))?,
            items,
            total_cost,
            subsidy,
            origin_cost,
            total_payment: principal.plus(total_cost)?,
            annual,
            origin_annual,
            contingent: contingent(terms, institution),
        })
    }

    /// Whether the shopper's cost stays within the law's cap, read without compounding as the cap is.
    ///
    /// # Errors
    /// [`Refusal::CostAboveCap`] with both figures.
    pub fn within(&self, cap: Rate) -> Result<(), Refusal> {
        if self.annual.simple > cap {
            return Err(Refusal::CostAboveCap {
                annual: self.annual.simple,
                cap,
            });
        }
        Ok(())
    }
}

/// Both annual rates of what is paid month by month; nothing where nothing is financed.
fn rates(
    principal: Amount,
    dues: impl DoubleEndedIterator<Item = Amount> + Clone,
) -> Result<AnnualRates, OutOfRange> {
    if principal.is_zero() {
        return Ok(AnnualRates::default());
    }
    of_payments(principal, dues).map_err(|_| OutOfRange("the annual rate"))
}

/// What may come on top, as the terms say.
fn contingent(terms: &Terms, institution: &str) -> Vec<Contingent> {
    let late = &terms.conventions.late;
    let payee = || institution.to_string();
    let fee = late.fee.is_positive().then(|| Contingent::LateFee {
        amount: late.fee,
        grace_days: late.grace_days,
        payee: payee(),
    });
    let penalty = (late.daily > Rate::ZERO).then(|| Contingent::PenaltyInterest {
        daily: late.daily,
        annual: Rate::from_ppb(late.daily.ppb().saturating_mul(365)),
        grace_days: late.grace_days,
        from_due_date: late.from_due_date,
        payee: payee(),
    });
    let settlement = Contingent::EarlySettlement {
        method: terms.conventions.settlement,
        payee: payee(),
    };
    let mut all = Vec::with_capacity(3);
    all.extend(fee);
    all.extend(penalty);
    all.push(settlement);
    all
}
