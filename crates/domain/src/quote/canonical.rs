//! The text of a quote that its digest is taken of: everything that was shown and binds, in one fixed form.
//!
//! The form has a version. It changes by a new version and never by an edit, so that an old digest can be checked for
//! as long as its agreement is kept.

use alloc::string::String;
use core::fmt::{self, Write};

use super::Quote;
use crate::annual_rate::AnnualRates;
use crate::calendar::{DayCount, Roll};
use crate::money::{Remainder, Rounding};
use crate::plan::{Component, Conventions, FeeTiming, Prepayment, Pricing, RefundStrategy, Settlement};

mod servicing;

impl Quote {
    /// The text whose digest binds the quote (报价摘要): amounts, dates, rates, fees, payees, conventions, documents.
    ///
    /// Two quotes have the same text exactly if everything in them is the same but their digest.
    pub fn canonical(&self) -> String {
        let mut text = String::with_capacity(2_048);
        // Writing to a string cannot fail; a failure would give a text without its last line, and so another digest.
        if self.write(&mut text).is_ok() {
            text.push_str("end\n");
        }
        text
    }

    /// Line by line.
    fn write(&self, to: &mut String) -> fmt::Result {
        writeln!(to, "fenqi quote 1")?;
        write!(to, "id {}", self.id)?;
        match self.shopper {
            Some(shopper) => writeln!(to, " for {shopper}")?,
            None => writeln!(to)?,
        }
        writeln!(to, "plan {:?} {}", self.plan, self.plan_version)?;
        writeln!(to, "institution {:?} seller {:?}", self.institution, self.seller)?;
        writeln!(
            to,
            "campaign {:?} hold {} card {}",
            self.campaign, self.hold_days, self.needs_card
        )?;
        writeln!(to, "time {} {}", self.made_at, self.expires_at)?;
        let (price, down, principal) = (
            self.price.minor(),
            self.down_payment.minor(),
            self.principal.minor(),
        );
        let currency = self.terms.currency.code();
        writeln!(to, "amounts {currency} {price} {down} {principal}")?;
        for line in &self.lines {
            let (price, financed) = (line.price.minor(), line.financed.minor());
            writeln!(to, "line {:?} {} {price} {financed}", line.sku, line.quantity)?;
        }
        self.write_terms(to)?;
        self.write_cost(to)?;
        for document in &self.documents {
            let (code, version, hash) = (&document.code, document.version, &document.hash);
            writeln!(to, "document {code:?} {version} {hash:?}")?;
        }
        Ok(())
    }

    /// The terms and the schedule.
    fn write_terms(&self, to: &mut String) -> fmt::Result {
        let terms = &self.terms;
        let (principal, borne) = (terms.principal.minor(), terms.borne_by_seller.ppb());
        writeln!(to, "terms {principal} {borne} {}", terms.signed_on)?;
        match terms.pricing {
            Pricing::InterestFree => writeln!(to, "pricing free")?,
            Pricing::FlatFee {
                total_rate,
                timing,
                fee_rounding,
            } => writeln!(
                to,
                "pricing flat {} {} {}",
                total_rate.ppb(),
                timing_code(timing),
                rounding_code(fee_rounding)
            )?,
            Pricing::Annuity { annual, day_count } => {
                writeln!(to, "pricing annuity {} {}", annual.ppb(), day_code(day_count))?;
            }
            Pricing::EqualPrincipal { annual, day_count } => {
                writeln!(to, "pricing equal {} {}", annual.ppb(), day_code(day_count))?;
            }
            Pricing::Balloon {
                annual,
                day_count,
                left,
            } => {
                let (annual, days, left) = (annual.ppb(), day_code(day_count), left.ppb());
                writeln!(to, "pricing balloon {annual} {days} {left}")?;
            }
            Pricing::Graduated {
                annual,
                day_count,
                growth,
                every,
            } => {
                let (annual, days, growth) = (annual.ppb(), day_code(day_count), growth.ppb());
                writeln!(to, "pricing graduated {annual} {days} {growth} {every}")?;
            }
        }
        write_conventions(&terms.conventions, to)?;
        for due_on in &terms.due_dates {
            writeln!(to, "due {due_on}")?;
        }
        for row in &self.schedule {
            let (principal, interest) = (row.principal.minor(), row.interest.minor());
            let (fee, subsidy) = (row.fee.minor(), row.subsidy.minor());
            let (number, due_on) = (row.number, row.due_on);
            writeln!(to, "row {number} {due_on} {principal} {interest} {fee} {subsidy}")?;
        }
        Ok(())
    }

    /// The cost sheet.
    fn write_cost(&self, to: &mut String) -> fmt::Result {
        let cost = &self.cost;
        let (total, subsidy) = (cost.total_cost.minor(), cost.subsidy.minor());
        let (origin, payment) = (cost.origin_cost.minor(), cost.total_payment.minor());
        let (price, down) = (cost.price.minor(), cost.down_payment.minor());
        let (currency, principal, count) = (cost.currency.code(), cost.principal.minor(), cost.count);
        writeln!(
            to,
            "cost {currency} {price} {down} {principal} {count} {total} {subsidy} {origin} {payment}"
        )?;
        write_rates("annual", &cost.annual, to)?;
        write_rates("origin", &cost.origin_annual, to)?;
        for item in &cost.items {
            write!(to, "item {} {:?} ", component_code(item.component), item.payee)?;
            match item.basis {
                crate::cost::Basis::Principal { rate, timing } => {
                    write!(to, "principal {} {}", rate.ppb(), timing_code(timing))?;
                }
                crate::cost::Basis::Outstanding { annual, day_count } => {
                    write!(to, "outstanding {} {}", annual.ppb(), day_code(day_count))?;
                }
            }
            let (origin, shopper) = (item.origin.minor(), item.by_shopper.minor());
            writeln!(to, " {origin} {shopper} {}", item.by_seller.minor())?;
        }
        for contingent in &cost.contingent {
            write_contingent(contingent, to)?;
        }
        Ok(())
    }
}

/// A contingent cost.
fn write_contingent(contingent: &crate::cost::Contingent, to: &mut String) -> fmt::Result {
    use crate::cost::Contingent;
    match contingent {
        Contingent::LateFee {
            amount,
            grace_days,
            payee,
        } => writeln!(to, "late_fee {} {grace_days} {payee:?}", amount.minor()),
        Contingent::PenaltyInterest {
            daily,
            annual,
            grace_days,
            from_due_date,
            payee,
        } => {
            let (daily, annual) = (daily.ppb(), annual.ppb());
            writeln!(
                to,
                "penalty {daily} {annual} {grace_days} {from_due_date} {payee:?}"
            )
        }
        Contingent::EarlySettlement { method, payee } => {
            write!(to, "early ")?;
            write_settlement(*method, to)?;
            writeln!(to, " {payee:?}")
        }
    }
}

/// Both annual rates.
fn write_rates(name: &str, rates: &AnnualRates, to: &mut String) -> fmt::Result {
    writeln!(to, "{name} {} {}", rates.simple.ppb(), rates.compound.ppb())
}

/// The conventions.
fn write_conventions(conventions: &Conventions, to: &mut String) -> fmt::Result {
    let roll = match conventions.roll {
        Roll::None => "none",
        Roll::Following => "following",
        Roll::ModifiedFollowing => "modified_following",
    };
    let remainder = match conventions.remainder {
        Remainder::First => "first",
        Remainder::Last => "last",
        Remainder::Spread => "spread",
    };
    let prepayment = match conventions.prepayment {
        Prepayment::ShorterTerm => "shorter_term",
        Prepayment::LowerInstalment => "lower_instalment",
        Prepayment::NextFirst => "next_first",
    };
    let refund = match conventions.refund {
        RefundStrategy::LastFirst => "last_first",
        RefundStrategy::Proportional => "proportional",
        RefundStrategy::NextFirst => "next_first",
        RefundStrategy::OverdueFirst => "overdue_first",
    };
    let rounding = rounding_code(conventions.rounding);
    writeln!(
        to,
        "conventions {rounding} {remainder} {roll} {prepayment} {refund}"
    )?;
    write!(to, "waterfall {}", conventions.waterfall.row_by_row)?;
    for component in &conventions.waterfall.order {
        write!(to, " {}", component_code(*component))?;
    }
    let late = &conventions.late;
    let (grace, fee, daily) = (late.grace_days, late.fee.minor(), late.daily.ppb());
    let (from_due, cap) = (late.from_due_date, late.annual_cap.ppb());
    writeln!(to, "\nlate {grace} {fee} {daily} {from_due} {cap}")?;
    write!(to, "settlement ")?;
    write_settlement(conventions.settlement, to)?;
    writeln!(to)?;
    match conventions.servicing.as_deref() {
        Some(servicing) => servicing::write_servicing(servicing, to),
        None => Ok(()),
    }
}

/// A settlement method.
fn write_settlement(settlement: Settlement, to: &mut String) -> fmt::Result {
    match settlement {
        Settlement::WaiveUnaccrued => write!(to, "waive_unaccrued"),
        Settlement::Actuarial => write!(to, "actuarial"),
        Settlement::RemainingFee { share } => write!(to, "remaining_fee {}", share.ppb()),
        Settlement::Flat { fee } => write!(to, "flat {}", fee.minor()),
        Settlement::RuleOf78 => write!(to, "rule_of_78"),
    }
}

/// The word for a rounding.
const fn rounding_code(rounding: Rounding) -> &'static str {
    match rounding {
        Rounding::HalfUp => "half_up",
        Rounding::HalfEven => "half_even",
        Rounding::Down => "down",
        Rounding::Up => "up",
    }
}

/// The word for a fee's timing.
const fn timing_code(timing: FeeTiming) -> &'static str {
    match timing {
        FeeTiming::EveryPeriod => "every_period",
        FeeTiming::WithFirst => "with_first",
    }
}

/// The word for a day count.
const fn day_code(day_count: DayCount) -> &'static str {
    match day_count {
        DayCount::Thirty360 => "30/360",
        DayCount::Actual360 => "actual/360",
        DayCount::Actual365 => "actual/365",
    }
}

/// The word for a component.
const fn component_code(component: Component) -> &'static str {
    match component {
        Component::Penalty => "penalty",
        Component::Fee => "fee",
        Component::Interest => "interest",
        Component::Principal => "principal",
    }
}
