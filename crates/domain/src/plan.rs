//! Plans (分期方案): what an institution offers, and the terms that one purchase signs.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::allowed::Allowed;
use crate::calendar::{DayCount, DueRule, Roll};
use crate::money::{AMOUNT_MAX, Amount, Currency, OutOfRange, Rate, Remainder, Rounding, point};
use crate::servicing::{Recalculation, Servicing};

/// How a plan earns (计费方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Pricing {
    /// Neither fee nor interest (免息).
    InterestFree,
    /// A fee on the original principal (手续费), as a total for the whole plan: 7.2 % for 12 instalments.
    FlatFee {
        /// The total, as a share of the financed principal.
        total_rate: Rate,
        /// When it is paid.
        timing: FeeTiming,
        /// How the total becomes whole minor units.
        fee_rounding: Rounding,
    },
    /// Level instalments with interest on what is outstanding (等额本息).
    Annuity {
        /// The annual rate.
        annual: Rate,
        /// How days and years are counted for interest.
        day_count: DayCount,
    },
    /// Equal principal with interest on what is outstanding (等额本金).
    EqualPrincipal {
        /// The annual rate.
        annual: Rate,
        /// How days and years are counted for interest.
        day_count: DayCount,
    },
    /// Level instalments with interest on what is outstanding, that leave a part for the last one (气球贷、尾款).
    Balloon {
        /// The annual rate.
        annual: Rate,
        /// How days and years are counted for interest.
        day_count: DayCount,
        /// The part that is left, as a share of the principal; at most all of it.
        left: Rate,
    },
    /// Instalments that grow by steps, with interest on what is outstanding (递增还款).
    Graduated {
        /// The annual rate.
        annual: Rate,
        /// How days and years are counted for interest.
        day_count: DayCount,
        /// By how much an instalment grows at each step; zero or more.
        growth: Rate,
        /// After how many instalments each step comes; at least one.
        every: u16,
    },
}

/// When a flat fee is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeTiming {
    /// A part with each instalment (分期收取).
    EveryPeriod,
    /// All of it with the first instalment (首期一次收取).
    WithFirst,
}

/// Which component of a debt (款项).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// Penalty interest and late fees (罚息与滞纳金).
    Penalty,
    /// Instalment fees (手续费).
    Fee,
    /// Interest (利息).
    Interest,
    /// Principal (本金).
    Principal,
}

/// How a payment is spread over what is owed (冲账顺序).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waterfall {
    /// The order of components. 民法典 561: costs, then interest (with fees), then principal.
    pub order: Vec<Component>,
    /// Whether one instalment is filled in all its components before the next (`true`), or one component across all
    /// that is due before the next component.
    pub row_by_row: bool,
}

/// What an agreement charges for lateness (逾期费用).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatePolicy {
    /// Days after the due date in which nothing is charged (宽限期).
    pub grace_days: u16,
    /// One fee per instalment that is still unpaid when grace ends (滞纳金).
    pub fee: Amount,
    /// Penalty interest a day on overdue principal, interest and fees (罚息), never on penalties.
    pub daily: Rate,
    /// Whether penalty interest counts from the due date once grace has passed (else from the end of grace).
    pub from_due_date: bool,
    /// No more than this a year of all costs on the principal, penalties included (综合年化上限).
    pub annual_cap: Rate,
}

/// What an early settlement costs (提前结清方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Settlement {
    /// Fees and interest not yet accrued are waived (未到期费用免收). The default: the kindest to the one who pays.
    WaiveUnaccrued,
    /// The actuarial balance: what the flat fee would be as interest at the plan's own internal rate.
    Actuarial,
    /// A share of the remaining fees is still charged.
    RemainingFee {
        /// The share.
        share: Rate,
    },
    /// A flat fee on top of what is accrued (提前还款违约金).
    Flat {
        /// How much.
        fee: Amount,
    },
    /// The rule of 78, only where it is legal.
    RuleOf78,
}

// H4: what a payment ahead changes
/// What a partial prepayment changes (部分提前还款).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prepayment {
    /// The last instalments go first: the term gets shorter (缩短期限).
    ShorterTerm,
    /// All remaining instalments get smaller (减少每期).
    LowerInstalment,
    /// The next instalments are paid ahead.
    NextFirst,
}

/// Where a refund goes (退款冲抵方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStrategy {
    /// The last instalments that are not yet due go first. The default: the next dates stay.
    LastFirst,
    /// All instalments that are not yet due get smaller in proportion.
    Proportional,
    /// The next instalments go first.
    NextFirst,
    /// What is overdue goes first, then last first.
    OverdueFirst,
}

/// Where two plans' figures could differ by a minor unit, the convention that decides (约定). Part of the signed terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conventions {
    /// How interest becomes whole minor units.
    pub rounding: Rounding,
    /// Which instalment takes what is left of a division.
    pub remainder: Remainder,
    /// What happens when a due date is a holiday (民法典 203).
    pub roll: Roll,
    /// How payments are spread.
    pub waterfall: Waterfall,
    /// What lateness costs.
    pub late: LatePolicy,
    /// What early settlement costs.
    pub settlement: Settlement,
    /// What a partial prepayment changes.
    pub prepayment: Prepayment,
    /// Where refunds go.
    pub refund: RefundStrategy,
    /// What is agreed on servicing beyond these, of agreements that say more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub servicing: Option<Box<Servicing>>,
}

/// A plan of an institution, in one version (分期方案). Versions are never changed, only followed by another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its code, such as `xiaofu-flat-12`.
    pub code: String,
    /// Its version, from 1.
    pub version: u32,
    /// The institution that lends.
    pub institution: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Its currency.
    pub currency: Currency,
    /// How many instalments, 1 to 60.
    pub count: u16,
    /// How it earns.
    pub pricing: Pricing,
    /// The least that can be financed.
    pub minimum: Amount,
    /// The most that can be financed.
    pub maximum: Amount,
    /// The share of the price to be paid now at least (首付).
    pub down_payment: Rate,
    /// The share of the fee and interest that the seller bears, 0 to 100 % (商家贴息).
    pub borne_by_seller: Rate,
    /// The campaign whose budget bears the seller's share, if it is one.
    pub campaign: Option<String>,
    /// When instalments are due.
    pub due: DueRule,
    /// Its conventions.
    pub conventions: Conventions,
    /// For how long an authorisation may wait for its capture, in days.
    pub hold_days: u16,
    /// For how long a quote stands, in minutes.
    pub quote_minutes: u16,
    /// Whether a card with a mandate is needed (R47).
    pub needs_card: bool,
}

/// The terms of one loan as signed (合同条款). With its transactions they are all there is to know about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The currency.
    pub currency: Currency,
    /// The financed amount as signed; captures may use less of it.
    pub principal: Amount,
    /// How it earns.
    pub pricing: Pricing,
    /// The share of fee and interest that the seller bears.
    pub borne_by_seller: Rate,
    /// The day from which interest counts and due dates are reckoned.
    pub signed_on: Date,
    /// The due dates, one for each instalment, ascending.
    pub due_dates: Vec<Date>,
    /// The conventions.
    pub conventions: Conventions,
}

/// One line of a schedule as agreed (还款计划的一期).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instalment {
    /// From 1.
    pub number: u16,
    /// When it is due.
    pub due_on: Date,
    /// Principal.
    pub principal: Amount,
    /// Interest that the shopper pays.
    pub interest: Amount,
    /// Fee that the shopper pays.
    pub fee: Amount,
    /// Interest and fee that the seller bears (贴息).
    pub subsidy: Amount,
}

impl Instalment {
    /// What the shopper pays: principal, interest and fee. It does not leave the range where a schedule's sums do not.
    pub(crate) const fn due(&self) -> Amount {
        let cost = self.interest.minor().saturating_add(self.fee.minor());
        Amount::from_minor(self.principal.minor().saturating_add(cost))
    }

    /// What the shopper would pay without the seller's share.
    pub(crate) const fn origin(&self) -> Amount {
        Amount::from_minor(self.due().minor().saturating_add(self.subsidy.minor()))
    }
}

/// A campaign whose seller bears cost for the shopper (免息活动), with its budget in slices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// Its code.
    pub code: String,
    /// Who pays.
    pub seller: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The whole budget.
    pub budget: Amount,
}

/// The most instalments that a plan may have.
pub const COUNT_MAX: u16 = 60;

/// What is wrong with a figure of a plan, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invalid {
    /// The field, such as `count`.
    pub field: String,
    /// What was found.
    pub found: String,
    /// What is allowed.
    pub allowed: Allowed,
}

impl Pricing {
    /// The same pricing at a multiple of its listed rate, for a shopper whom the institution prices differently.
    ///
    /// # Errors
    /// [`OutOfRange`] for rates that no plan has.
    pub fn at_factor(self, factor: Rate) -> Result<Pricing, OutOfRange> {
        if factor == Rate::ONE {
            return Ok(self);
        }
        let mut priced = self;
        let rate = match &mut priced {
            Pricing::InterestFree => return Ok(priced),
            Pricing::FlatFee { total_rate, .. } => total_rate,
            Pricing::Annuity { annual, .. }
            | Pricing::EqualPrincipal { annual, .. }
            | Pricing::Balloon { annual, .. }
            | Pricing::Graduated { annual, .. } => annual,
        };
        *rate = Rate::from_ppb(
            Amount::from_minor(rate.ppb())
                .at(factor, Rounding::HalfUp)?
                .minor(),
        );
        Ok(priced)
    }

    /// The rate, whatever it is a share of.
    pub const fn rate(&self) -> Rate {
        match *self {
            Pricing::InterestFree => Rate::ZERO,
            Pricing::FlatFee { total_rate, .. } => total_rate,
            Pricing::Annuity { annual, .. }
            | Pricing::EqualPrincipal { annual, .. }
            | Pricing::Balloon { annual, .. }
            | Pricing::Graduated { annual, .. } => annual,
        }
    }

    /// The annual rate and how its days are counted, where interest is paid on what is outstanding.
    pub const fn interest(&self) -> Option<(Rate, DayCount)> {
        match *self {
            Pricing::InterestFree | Pricing::FlatFee { .. } => None,
            Pricing::Annuity { annual, day_count }
            | Pricing::EqualPrincipal { annual, day_count }
            | Pricing::Balloon {
                annual, day_count, ..
            }
            | Pricing::Graduated {
                annual, day_count, ..
            } => Some((annual, day_count)),
        }
    }
}

impl Plan {
    /// The least to be paid now for goods of a price, rounded up (首付).
    ///
    /// # Errors
    /// [`OutOfRange`] for prices that no cart has.
    pub fn least_down_payment(&self, price: Amount) -> Result<Amount, OutOfRange> {
        price.at(self.down_payment, Rounding::Up)
    }

    /// Everything that is wrong with its figures; a plan with any of it is never put on sale.
    pub fn mistakes(&self) -> Vec<Invalid> {
        let mut mistakes = Mistakes(Vec::new());
        self.name_and_count(&mut mistakes);
        self.amounts_and_rates(&mut mistakes);
        self.dates_and_lateness(&mut mistakes);
        self.servicing(&mut mistakes);
        mistakes.0
    }

    /// What is wrong with its servicing: what everything costs on a day must be known on that day.
    ///
    /// Where scheduled interest is reckoned anew from period to period, what is overdue earns for the whole period while
    /// that is under way, and no more when it is over (as Apache Fineract has it). Whoever pays all
    /// that is asked for within the period has paid too much after it, and whoever pays less owes something until then:
    /// no figure settles such a loan and goes on settling it.
    fn servicing(&self, mistakes: &mut Mistakes) {
        let Some(servicing) = self.conventions.servicing.as_deref() else {
            return;
        };
        let holds = |r: Recalculation| r.daily || r.spares_overdue;
        mistakes.unless(
            servicing.excess.is_none() || servicing.recalculation.is_none_or(holds),
            "recalculation",
            "overdue interest from period to period",
            Allowed::RecalculationByDay,
        );
    }

    /// What is wrong with its name, version and number of instalments.
    fn name_and_count(&self, mistakes: &mut Mistakes) {
        let count = 1..=COUNT_MAX;
        mistakes.unless(!self.code.is_empty(), "code", "empty", Allowed::Code);
        mistakes.unless(self.version >= 1, "version", self.version, Allowed::OneOrMore);
        mistakes.unless(
            count.contains(&self.count),
            "count",
            self.count,
            Allowed::Instalments,
        );
    }

    /// What is wrong with its bounds and shares.
    fn amounts_and_rates(&self, mistakes: &mut Mistakes) {
        let (minimum, maximum) = (self.minimum.minor(), self.maximum.minor());
        let (down, borne) = (self.down_payment, self.borne_by_seller);
        mistakes.unless(minimum > 0, "minimum", point(minimum, 2), Allowed::MoreThanZero);
        mistakes.unless(
            (minimum..=AMOUNT_MAX).contains(&maximum),
            "maximum",
            point(maximum, 2),
            Allowed::MinimumOrMore,
        );
        mistakes.unless(
            (Rate::ZERO..Rate::ONE).contains(&down),
            "down_payment",
            down,
            Allowed::LessThanWhole,
        );
        mistakes.unless(
            (Rate::ZERO..=Rate::ONE).contains(&borne),
            "borne_by_seller",
            borne,
            Allowed::Share,
        );
        mistakes.unless(
            self.pricing.rate() >= Rate::ZERO,
            "pricing",
            self.pricing.rate(),
            Allowed::NotNegative,
        );
        match self.pricing {
            Pricing::Balloon { left, .. } => {
                let fits = (Rate::ZERO..Rate::ONE).contains(&left);
                mistakes.unless(fits, "left", left, Allowed::LessThanWhole);
            }
            Pricing::Graduated { growth, every, .. } => {
                let fits = (Rate::ZERO..=Rate::ONE).contains(&growth);
                mistakes.unless(fits, "growth", growth, Allowed::Share);
                mistakes.unless(every >= 1, "every", every, Allowed::OneOrMore);
            }
            _ => {}
        }
    }

    /// What is wrong with its due dates, its times and what lateness costs.
    fn dates_and_lateness(&self, mistakes: &mut Mistakes) {
        let late = &self.conventions.late;
        let day = match self.due {
            DueRule::OrderAnchored => 1,
            DueRule::FixedDay { day, .. } => day,
            DueRule::Statement { statement_day, .. } => statement_day,
        };
        mistakes.unless((1..=31).contains(&day), "due", day, Allowed::DayOfMonth);
        mistakes.unless(
            self.hold_days >= 1,
            "hold_days",
            self.hold_days,
            Allowed::OneOrMore,
        );
        mistakes.unless(
            self.quote_minutes >= 1,
            "quote_minutes",
            self.quote_minutes,
            Allowed::OneOrMore,
        );
        mistakes.unless(
            !late.fee.is_negative(),
            "late_fee",
            point(late.fee.minor(), 2),
            Allowed::NotNegative,
        );
        mistakes.unless(
            late.daily >= Rate::ZERO,
            "daily",
            late.daily,
            Allowed::NotNegative,
        );
        mistakes.unless(
            late.annual_cap > Rate::ZERO,
            "annual_cap",
            late.annual_cap,
            Allowed::MoreThanZero,
        );
    }
}

/// What was found wrong so far.
struct Mistakes(Vec<Invalid>);

impl Mistakes {
    /// Notes a field unless what is expected of it holds.
    fn unless(&mut self, holds: bool, field: &str, found: impl fmt::Display, allowed: Allowed) {
        if !holds {
            self.0.push(Invalid {
                field: field.to_string(),
                found: found.to_string(),
                allowed,
            });
        }
    }
}
