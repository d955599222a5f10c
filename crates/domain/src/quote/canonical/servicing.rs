//! What a quote says of its agreement's servicing. A quote without any says nothing, as quotes always did.

use alloc::string::String;
use core::fmt::{self, Write};

use super::component_code;
use crate::servicing::{
    Ahead, Basis, ChargeOff, Credit, Excess, Method, MonthDays, Recalculation, Rule, Servicing, Timing, Unit,
    Until, YearDays,
};

/// The conventions of servicing, a line for each part that may be absent or repeated.
pub(super) fn write_servicing(servicing: &Servicing, to: &mut String) -> fmt::Result {
    // Taken apart by name, so that a field that is new cannot be left out.
    let Servicing {
        rules,
        row_by_row,
        down_payment,
        multiple,
        period,
        year,
        month,
        method,
        interest_only,
        interest_deferred,
        whole,
        recalculation,
        excess,
        chargeback,
        charge_off,
    } = servicing;
    let (down, multiple) = (down_payment.ppb(), multiple.minor());
    writeln!(to, "servicing {row_by_row} {down} {multiple} {whole}")?;
    write!(to, "interest {} {} ", period.every, unit_code(period.unit))?;
    match year {
        YearDays::Fixed(days) => write!(to, "{days}")?,
        YearDays::Actual => write!(to, "actual")?,
    }
    let (month, method) = (month_code(*month), method_code(*method));
    writeln!(to, " {month} {method} {interest_only} {interest_deferred}")?;
    if let Some(recalculation) = recalculation {
        write_recalculation(*recalculation, to)?;
    }
    writeln!(to, "excess {}", excess.map_or("none", excess_code))?;
    write!(to, "charge_off {} chargeback", charge_off_code(*charge_off))?;
    for component in chargeback {
        write!(to, " {}", component_code(*component))?;
    }
    writeln!(to)?;
    rules.iter().try_for_each(|rule| write_rule(rule, to))
}

/// How interest is reckoned anew.
fn write_recalculation(recalculation: Recalculation, to: &mut String) -> fmt::Result {
    let Recalculation {
        daily,
        until,
        spares_overdue,
        compounds,
    } = recalculation;
    let until = match until {
        Until::PaymentDay => "payment_day",
        Until::PeriodEnd => "period_end",
    };
    writeln!(to, "recalculation {daily} {until} {spares_overdue} {compounds}")
}

/// How one kind of credit is spread.
fn write_rule(rule: &Rule, to: &mut String) -> fmt::Result {
    let Rule {
        credit,
        buckets,
        ahead,
    } = rule;
    let ahead = match ahead {
        Ahead::Next => "next",
        Ahead::Last => "last",
        Ahead::Even => "even",
    };
    write!(to, "rule {} {ahead}", credit_code(*credit))?;
    for bucket in buckets {
        let timing = match bucket.timing {
            Timing::PastDue => "past_due",
            Timing::Due => "due",
            Timing::Dated => "dated",
            Timing::Ahead => "ahead",
        };
        write!(to, " {timing}/{}", component_code(bucket.component))?;
    }
    writeln!(to)
}

/// The word for a unit.
const fn unit_code(unit: Unit) -> &'static str {
    match unit {
        Unit::Days => "days",
        Unit::Weeks => "weeks",
        Unit::Months => "months",
    }
}

/// The word for the length of a month.
const fn month_code(month: MonthDays) -> &'static str {
    match month {
        MonthDays::Thirty => "30",
        MonthDays::Actual => "actual",
    }
}

/// The word for how interest comes about.
const fn method_code(method: Method) -> &'static str {
    match method {
        Method::Balance => "balance",
        Method::Flat(Basis::Periods) => "flat/periods",
        Method::Flat(Basis::Days) => "flat/days",
        Method::Level(Basis::Periods) => "level/periods",
        Method::Level(Basis::Days) => "level/days",
        Method::EqualPrincipal(Basis::Periods) => "equal_principal/periods",
        Method::EqualPrincipal(Basis::Days) => "equal_principal/days",
    }
}

/// The word for what money beyond what is due does.
const fn excess_code(excess: Excess) -> &'static str {
    match excess {
        Excess::LastRow => "last_row",
        Excess::LowerInstalment => "lower_instalment",
        Excess::FewerRows => "fewer_rows",
        Excess::NextRows => "next_rows",
    }
}

/// The word for what a charge-off does.
const fn charge_off_code(charge_off: ChargeOff) -> &'static str {
    match charge_off {
        ChargeOff::Regular => "regular",
        ChargeOff::ZeroInterest => "zero_interest",
        ChargeOff::Accelerate => "accelerate",
    }
}

/// The word for a kind of credit.
const fn credit_code(credit: Credit) -> &'static str {
    match credit {
        Credit::Payment => "payment",
        Credit::DownPayment => "down_payment",
        Credit::MerchantRefund => "merchant_refund",
        Credit::PayoutRefund => "payout_refund",
        Credit::Goodwill => "goodwill",
        Credit::InterestRefund => "interest_refund",
        Credit::InterestWaiver => "interest_waiver",
        Credit::ChargeAdjustment => "charge_adjustment",
    }
}
