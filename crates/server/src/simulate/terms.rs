//! The terms of a case, in the words of the rules.

use fenqi_domain::calendar::{DayCount, Roll, add_days, add_months};
use fenqi_domain::loan::ROWS_MAX;
use fenqi_domain::money::{Amount, Currency, Rate, Remainder, Rounding};
use fenqi_domain::plan::{
    Component, Conventions, LatePolicy, Prepayment, Pricing, RefundStrategy, Settlement, Terms, Waterfall,
};
use fenqi_domain::servicing::{
    Ahead, Basis, Bucket, ChargeOff, Credit, Excess, Method, MonthDays, Period, Recalculation, Rule,
    Servicing, Timing, Unit, Until, YearDays,
};
use jiff::civil::Date;
use serde_json::Value;

use super::field::{Fields, Read};

/// What the words of the file mean for the reader itself, beside the terms.
pub struct Product {
    /// The currency.
    pub currency: Currency,
    /// How due dates follow from the day of the first disbursement.
    pub calendar: Calendar,
    /// When the first disbursement is expected.
    pub expected_on: Date,
    /// How much is expected.
    pub principal: Amount,
    /// The most that may be lent: what is applied for, or approved if that is more.
    pub most: Amount,
    /// Whether it may be paid out in parts, which may come to more.
    pub lends_in_parts: bool,
    /// The day from which due dates count, if it is not that of the first disbursement.
    pub seeded_on: Option<Date>,
    /// Whether down payments are paid at once.
    pub pays_down: bool,
    /// For which refunds the interest that they caused is refunded as well.
    pub interest_refund: Vec<Credit>,
    /// How it earns.
    pub pricing: Pricing,
    /// Whether a part of a period owes the interest of the whole period.
    pub takes_whole: bool,
    /// What was agreed on servicing.
    pub servicing: Servicing,
}

/// How due dates are reckoned.
pub struct Calendar {
    count: u16,
    period: Period,
    month_end: MonthEnd,
    fixed_days: u16,
}

/// What is done where a month has no such day.
#[derive(Clone, Copy, PartialEq)]
enum MonthEnd {
    Clamp,
    NextMonth,
    LastDay,
}

impl Calendar {
    /// The due dates from a day on.
    fn dates(&self, seed: Date) -> Read<Vec<Date>> {
        let mut dates = (1..=self.count)
            .map(|number| self.nth(seed, number))
            .collect::<Read<Vec<Date>>>()?;
        if self.fixed_days > 0
            && let Some(last) = dates.last_mut()
        {
            *last = add_days(seed, i64::from(self.fixed_days)).map_err(|e| e.to_string())?;
        }
        Ok(dates)
    }

    /// One due date, reckoned from the first day and not from the date before.
    fn nth(&self, seed: Date, number: u16) -> Read<Date> {
        let steps = i32::from(self.period.every).saturating_mul(i32::from(number));
        let date = match self.period.unit {
            Unit::Days => add_days(seed, i64::from(steps)),
            Unit::Weeks => add_days(seed, i64::from(steps).saturating_mul(7)),
            Unit::Months => add_months(seed, steps),
        };
        let date = date.map_err(|e| e.to_string())?;
        if self.period.unit != Unit::Months {
            return Ok(date);
        }
        match self.month_end {
            MonthEnd::NextMonth if date.day() < seed.day() => add_days(date, 1).map_err(|e| e.to_string()),
            MonthEnd::LastDay if seed.last_of_month() == seed => Ok(date.last_of_month()),
            _ => Ok(date),
        }
    }
}

impl Product {
    /// The terms as signed by a disbursement on a day.
    pub fn terms(&self, lent_on: Date) -> Read<Terms> {
        let seed = self.seeded_on.unwrap_or(lent_on);
        Ok(Terms {
            currency: self.currency,
            // What may be lent in all: the file's products lend more than was applied for.
            principal: Amount::from_minor(fenqi_domain::money::AMOUNT_MAX),
            pricing: self.pricing,
            borne_by_seller: Rate::ZERO,
            signed_on: lent_on,
            due_dates: self.calendar.dates(seed)?,
            conventions: self.conventions(),
        })
    }

    fn conventions(&self) -> Conventions {
        Conventions {
            rounding: Rounding::HalfEven,
            remainder: Remainder::Last,
            roll: Roll::None,
            waterfall: Waterfall {
                order: Component::ALL.to_vec(),
                row_by_row: true,
            },
            late: LatePolicy {
                grace_days: 0,
                fee: Amount::ZERO,
                daily: Rate::ZERO,
                from_due_date: true,
                annual_cap: Rate::ONE,
            },
            settlement: Settlement::WaiveUnaccrued,
            prepayment: Prepayment::NextFirst,
            refund: RefundStrategy::LastFirst,
            servicing: Some(Box::new(self.servicing.clone())),
        }
    }
}

/// Reads the terms.
pub fn read(inputs: &Fields<'_>) -> Read<Product> {
    let currency: Currency = inputs
        .text("currency")
        .unwrap_or("EUR")
        .parse()
        .map_err(|_| inputs.wrong("currency", "a currency such as EUR"))?;
    let unit = inputs.word("repayment_unit", &UNITS, Unit::Months)?;
    let period = Period {
        every: inputs.count_in("repayment_every", 1..=u16::MAX)?.unwrap_or(1),
        unit,
    };
    let count = inputs.need_count("number_of_installments", 1..=ROWS_MAX)?;
    let submitted_on = inputs.date_if("submitted_on")?;
    let first_on = inputs.date_if("first_disbursement_date")?;
    let expected_on = match submitted_on {
        Some(day) => day,
        None => first_on.map_or_else(|| inputs.date("first_disbursement_date"), Ok)?,
    };
    let annual = annual(inputs)?;
    refuse(inputs, annual)?;
    let is_cumulative = inputs.word(
        "schedule_type",
        &[("PROGRESSIVE", false), ("CUMULATIVE", true)],
        false,
    )?;
    let starts = [("DISBURSEMENT_DATE", false), ("SUBMITTED_ON_DATE", true)];
    let by_submission = inputs.word("repayment_start_date_type", &starts, false)?;
    let down = inputs.object("down_payment");
    let pays_down = down.map_or(Ok(None), |d| d.flag("auto_repayment"))?;
    let pricing = if annual == Rate::ZERO {
        Pricing::InterestFree
    } else {
        Pricing::Annuity {
            annual,
            day_count: DayCount::Actual365,
        }
    };
    let calendar = Calendar {
        count,
        period,
        month_end: inputs.word("month_end_due_date_strategy", &MONTH_ENDS, MonthEnd::Clamp)?,
        fixed_days: inputs.count("fixed_length_days")?,
    };
    let is_in_time = |date: Date| date.year() < 3000;
    if !calendar.nth(expected_on, count).is_ok_and(is_in_time) {
        let what = "fewer instalments or shorter periods: the last of these is due after the year 2999";
        return Err(inputs.wrong("repayment_every", what));
    }
    let principal = inputs.money("principal", currency)?;
    Ok(Product {
        currency,
        calendar,
        expected_on,
        principal,
        most: principal,
        lends_in_parts: inputs.flag("multi_disbursement")?.unwrap_or(false),
        seeded_on: submitted_on.filter(|_| by_submission),
        pays_down: pays_down.unwrap_or(false),
        interest_refund: refunded(inputs)?,
        pricing,
        takes_whole: takes_whole(inputs, annual)?,
        servicing: servicing(inputs, period, pricing.rate(), is_cumulative)?,
    })
}

/// What was agreed on servicing.
fn servicing(inputs: &Fields<'_>, period: Period, annual: Rate, is_cumulative: bool) -> Read<Servicing> {
    let down = inputs.object("down_payment");
    let recalculation = recalculation(inputs)?.filter(|_| annual > Rate::ZERO);
    let excess = recalculation.is_some().then(|| excess(inputs)).transpose()?;
    if !is_cumulative && excess.is_some_and(|e| e != Excess::LastRow) {
        let what = "a progressive schedule whose last row does not take what is paid early";
        return Err(inputs.unsupported("interest_recalculation/advance_payment_adjustment", what));
    }
    let excess = excess.filter(|_| is_cumulative);
    let multiple = i64::from(inputs.count("installment_multiple_of")?).saturating_mul(100);
    Ok(Servicing {
        rules: rules(inputs)?,
        row_by_row: inputs.word(
            "schedule_processing",
            &[("HORIZONTAL", true), ("VERTICAL", false)],
            true,
        )?,
        down_payment: down.as_ref().map_or(Ok(Rate::ZERO), |d| d.rate("percent"))?,
        multiple: Amount::from_minor(multiple),
        period,
        year: year(inputs)?,
        month: inputs.word(
            "days_in_month",
            &[("30", MonthDays::Thirty), ("ACTUAL", MonthDays::Actual)],
            MonthDays::Actual,
        )?,
        method: method(inputs, is_cumulative)?,
        interest_only: inputs.count("grace_on_principal_periods")?,
        interest_deferred: inputs.count("grace_on_interest_payment_periods")?,
        whole: is_cumulative,
        recalculation,
        excess,
        chargeback: chargeback(inputs)?,
        charge_off: inputs.word("charge_off_behaviour", &CHARGE_OFFS, ChargeOff::Regular)?,
    })
}

/// Refuses by name what would otherwise be read past.
fn refuse(inputs: &Fields<'_>, annual: Rate) -> Read<()> {
    if let Some(rounding) = inputs.object("rounding") {
        rounding.word("mode", &[("HALF_EVEN", ())], ())?;
        if rounding.get("money_scale").is_some() && rounding.count("money_scale")? != 2 {
            return Err(rounding.unsupported("money_scale", "money of other than two digits"));
        }
        // Figures are exact or have 12 decimals; fewer digits would make others.
        if rounding.get("math_precision").is_some() && rounding.count("math_precision")? < 12 {
            return Err(rounding.unsupported("math_precision", "arithmetic of fewer than 12 digits"));
        }
    }
    if inputs.get("currency_digits").is_some() && inputs.count("currency_digits")? != 2 {
        return Err(inputs.unsupported("currency_digits", "money of other than two digits"));
    }
    // A rate of nothing is said: a misspelt one would make every figure too low.
    let speaks_of_interest = inputs.get("rate_frequency").is_some() || recalculates(inputs)?;
    if speaks_of_interest && inputs.get("rate_percent").is_none() {
        let at = inputs.at();
        return Err(format!(
            "{at}/rate_percent: is missing; write a percentage, \"0\" for none"
        ));
    }
    if inputs.count("grace_on_interest_charged_periods")? > 0 {
        let what = "interest that is not even charged in the first periods";
        return Err(inputs.unsupported("grace_on_interest_charged_periods", what));
    }
    if takes_whole(inputs, annual)? && recalculates(inputs)? {
        let what = "interest of whole periods for parts of them, where it is reckoned anew,";
        return Err(inputs.unsupported("allow_partial_period_interest", what));
    }
    Ok(())
}

/// Whether interest is reckoned anew.
fn recalculates(inputs: &Fields<'_>) -> Read<bool> {
    let enabled = inputs.object("interest_recalculation").map(|f| f.flag("enabled"));
    Ok(enabled.transpose()?.flatten() == Some(true))
}

/// For which refunds the interest that they caused is refunded as well.
fn refunded(inputs: &Fields<'_>) -> Read<Vec<Credit>> {
    let items = inputs.list("interest_refund_on").into_iter();
    items
        .map(|(value, at)| {
            let known = value.as_str().and_then(credit);
            known.ok_or_else(|| format!("{at}: is not a known kind"))
        })
        .collect()
}

/// Whether a part of a period owes the interest of the whole period.
fn takes_whole(inputs: &Fields<'_>, annual: Rate) -> Read<bool> {
    let partial = inputs.flag("allow_partial_period_interest")?;
    let by_period = inputs.text("interest_calculation_period") == Some("SAME_AS_REPAYMENT_PERIOD");
    Ok(partial == Some(false) && by_period && annual > Rate::ZERO)
}

/// How many periods the loan runs, and how many its instalments take. It may run on after the last of them.
fn length(inputs: &Fields<'_>) -> Read<(i64, i64)> {
    let count = i64::from(inputs.count("number_of_installments")?.max(1));
    let length = count.saturating_mul(i64::from(inputs.count("repayment_every")?.max(1)));
    let Some(term) = inputs.get("loan_term").and_then(Value::as_array) else {
        return Ok((length, length));
    };
    let unit = inputs.text("repayment_unit").unwrap_or("MONTHS");
    match term.as_slice() {
        [n, u] if u.as_str() == Some(unit) => n.as_i64().filter(|n| *n >= length),
        _ => None,
    }
    .map(|n| (n, length))
    .ok_or_else(|| {
        inputs.wrong(
            "loan_term",
            &format!("[{length}, {unit:?}] or longer, as the instalments come to"),
        )
    })
}

const UNITS: [(&str, Unit); 3] = [
    ("DAYS", Unit::Days),
    ("WEEKS", Unit::Weeks),
    ("MONTHS", Unit::Months),
];

const CHARGE_OFFS: [(&str, ChargeOff); 3] = [
    ("REGULAR", ChargeOff::Regular),
    ("ZERO_INTEREST", ChargeOff::ZeroInterest),
    ("ACCELERATE_MATURITY", ChargeOff::Accelerate),
];

const MONTH_ENDS: [(&str, MonthEnd); 2] = [
    ("FIRST_DAY_OF_NEXT_MONTH", MonthEnd::NextMonth),
    ("LAST_DAY_OF_MONTH", MonthEnd::LastDay),
];

/// A unit of time by its word.
pub fn unit(fields: &Fields<'_>, name: &'static str) -> Read<Unit> {
    fields.word(name, &UNITS, Unit::Months)
}

/// How interest comes about.
fn method(inputs: &Fields<'_>, is_cumulative: bool) -> Read<Method> {
    let is_flat = inputs.word(
        "interest_method",
        &[("FLAT", true), ("DECLINING_BALANCE", false)],
        false,
    )?;
    let amortizations = [("EQUAL_INSTALLMENTS", false), ("EQUAL_PRINCIPAL_PAYMENTS", true)];
    let is_equal = inputs.word("amortization", &amortizations, false)?;
    let bases = [
        ("SAME_AS_REPAYMENT_PERIOD", Basis::Periods),
        ("DAILY", Basis::Days),
    ];
    let basis = inputs.word("interest_calculation_period", &bases, Basis::Periods)?;
    Ok(match (is_flat, is_equal) {
        (true, _) => Method::Flat(basis),
        (false, true) => Method::EqualPrincipal(basis),
        (false, false) if is_cumulative => Method::Level(basis),
        (false, false) => Method::Balance,
    })
}

/// The rate for a year. What is asked for on the amount lent runs for as long as the loan does.
fn annual(inputs: &Fields<'_>) -> Read<Rate> {
    let (term, length) = length(inputs)?;
    let rate = inputs.rate("rate_percent")?;
    let is_flat = inputs.text("interest_method") == Some("FLAT");
    let rate = if is_flat && inputs.text("rate_frequency") != Some("WHOLE_TERM") {
        let longer = Amount::from_minor(rate.ppb()).share(term, length, Rounding::HalfEven);
        Rate::from_ppb(longer.map_err(|e| e.to_string())?.minor())
    } else {
        rate
    };
    match inputs.text("rate_frequency") {
        Some("PER_YEAR") | None => Ok(rate),
        Some("PER_MONTH") => Ok(Rate::from_ppb(rate.ppb().saturating_mul(12))),
        // A rate for the whole term is spread over it.
        Some("WHOLE_TERM") => {
            let count = i64::from(inputs.count("number_of_installments")?.max(1));
            let every = i64::from(inputs.count("repayment_every")?.max(1));
            let a_year = match unit(inputs, "repayment_unit")? {
                Unit::Days => 365,
                Unit::Weeks => 52,
                Unit::Months => 12,
            };
            let whole = Amount::from_minor(rate.ppb());
            let annual = whole.share(a_year, count.saturating_mul(every), Rounding::HalfEven);
            annual
                .map(|a| Rate::from_ppb(a.minor()))
                .map_err(|e| e.to_string())
        }
        Some(_) => Err(inputs.wrong("rate_frequency", "PER_YEAR, PER_MONTH or WHOLE_TERM")),
    }
}

fn year(inputs: &Fields<'_>) -> Read<YearDays> {
    let words = [
        ("360", YearDays::Fixed(360)),
        ("364", YearDays::Fixed(364)),
        ("365", YearDays::Fixed(365)),
        ("ACTUAL", YearDays::Actual),
    ];
    inputs.word("days_in_year", &words, YearDays::Actual)
}

fn recalculation(inputs: &Fields<'_>) -> Read<Option<Recalculation>> {
    let Some(fields) = inputs.object("interest_recalculation") else {
        return Ok(None);
    };
    if !recalculates(inputs)? {
        return Ok(None);
    }
    let until = [
        ("TILL_PRE_CLOSE_DATE", Until::PaymentDay),
        ("TILL_REST_FREQUENCY_DATE", Until::PeriodEnd),
    ];
    Ok(Some(Recalculation {
        daily: fields.word(
            "rest_frequency",
            &[("DAILY", true), ("SAME_AS_REPAYMENT", false)],
            true,
        )?,
        until: fields.word("pre_closure", &until, Until::PaymentDay)?,
        spares_overdue: fields.flag("disallow_interest_on_past_due")? == Some(true),
        compounds: fields.word("compounding", &[("NONE", false), ("INTEREST", true)], false)?,
    }))
}

/// What a payment beyond what is due changes.
fn excess(inputs: &Fields<'_>) -> Read<Excess> {
    let words = [
        ("ADJUST_LAST_UNPAID_PERIOD", Excess::LastRow),
        ("REDUCE_EMI_AMOUNT", Excess::LowerInstalment),
        ("REDUCE_NUMBER_OF_INSTALLMENTS", Excess::FewerRows),
        ("RESCHEDULE_NEXT_REPAYMENTS", Excess::NextRows),
    ];
    let fields = inputs.object("interest_recalculation");
    fields.map_or(Ok(Excess::LastRow), |f| {
        f.word("advance_payment_adjustment", &words, Excess::LastRow)
    })
}

fn chargeback(inputs: &Fields<'_>) -> Read<Vec<Component>> {
    for (value, at) in inputs.list("credit_allocation") {
        let fields = Fields::new(value, at);
        // Nothing else is owed again in an order of its own.
        if fields.word("transaction_type", &[("CHARGEBACK", true)], false)? {
            let items = fields.list("order").into_iter();
            return items
                .map(|(v, at)| {
                    v.as_str()
                        .and_then(component)
                        .ok_or(format!("{at}: write a component"))
                })
                .collect();
        }
    }
    Ok(Vec::new())
}

/// A component by its word.
pub fn component(word: &str) -> Option<Component> {
    match word {
        "PENALTY" => Some(Component::Penalty),
        "FEE" => Some(Component::Fee),
        "INTEREST" => Some(Component::Interest),
        "PRINCIPAL" => Some(Component::Principal),
        _ => None,
    }
}

/// A kind of credit by its word.
fn credit(word: &str) -> Option<Credit> {
    match word {
        "DEFAULT" => Some(Credit::Payment),
        "GOODWILL_CREDIT" => Some(Credit::Goodwill),
        "MERCHANT_ISSUED_REFUND" => Some(Credit::MerchantRefund),
        "PAYOUT_REFUND" => Some(Credit::PayoutRefund),
        "INTEREST_REFUND" => Some(Credit::InterestRefund),
        "DOWN_PAYMENT" => Some(Credit::DownPayment),
        "REPAYMENT" => Some(Credit::Payment),
        "INTEREST_PAYMENT_WAIVER" => Some(Credit::InterestWaiver),
        "CHARGE_ADJUSTMENT" => Some(Credit::ChargeAdjustment),
        _ => None,
    }
}

/// The rules by which credits are spread.
fn rules(inputs: &Fields<'_>) -> Read<Vec<Rule>> {
    let Some(allocation) = inputs.object("allocation") else {
        return Ok(vec![Rule {
            credit: Credit::Payment,
            buckets: fixed(inputs)?,
            ahead: Ahead::Next,
        }]);
    };
    let order = buckets(allocation.list("order"))?;
    let Some(rules) = allocation.get("rules").and_then(Value::as_object) else {
        return Err(allocation.wrong("rules", "the rules, by kind"));
    };
    let ahead = [
        ("NEXT_INSTALLMENT", Ahead::Next),
        ("LAST_INSTALLMENT", Ahead::Last),
        ("REAMORTIZATION", Ahead::Even),
    ];
    rules
        .iter()
        .map(|(name, value)| {
            let fields = Fields::new(value, format!("{}/rules/{name}", allocation.at()));
            let own = buckets(fields.list("order"))?;
            Ok(Rule {
                credit: credit(name).ok_or_else(|| format!("{}: is not a known kind", fields.at()))?,
                buckets: if own.is_empty() { order.clone() } else { own },
                ahead: fields.word("future_installments", &ahead, Ahead::Next)?,
            })
        })
        .collect()
}

/// Buckets by their words, such as `PAST_DUE_FEE`.
fn buckets(items: Vec<(&Value, String)>) -> Read<Vec<Bucket>> {
    let read = |text: &str| {
        let timings = [
            ("PAST_DUE_", Timing::PastDue),
            ("DUE_", Timing::Due),
            ("IN_ADVANCE_", Timing::Ahead),
        ];
        timings.iter().find_map(|(word, timing)| {
            let component = component(text.strip_prefix(word)?)?;
            Some(Bucket {
                timing: *timing,
                component,
            })
        })
    };
    items
        .into_iter()
        .map(|(value, at)| {
            value
                .as_str()
                .and_then(read)
                .ok_or(format!("{at}: is not a known bucket"))
        })
        .collect()
}

/// The buckets of a fixed order that is known by name: what is due row by row, then what is ahead row by row.
fn fixed(inputs: &Fields<'_>) -> Read<Vec<Bucket>> {
    use Component::{Fee, Interest, Penalty, Principal};
    let pfip = [Penalty, Fee, Interest, Principal];
    let words = [
        ("ADVANCED_PAYMENT_ALLOCATION", (pfip, pfip)),
        ("PENALTIES_FEES_INTEREST_PRINCIPAL_ORDER", (pfip, pfip)),
        (
            "INTEREST_PRINCIPAL_PENALTIES_FEES_ORDER",
            (
                [Interest, Principal, Penalty, Fee],
                [Interest, Principal, Penalty, Fee],
            ),
        ),
        (
            "PRINCIPAL_INTEREST_PENALTIES_FEES_ORDER",
            (
                [Principal, Interest, Penalty, Fee],
                [Principal, Interest, Penalty, Fee],
            ),
        ),
        (
            "DUE_PENALTY_INTEREST_PRINCIPAL_FEE_IN_ADVANCE_PENALTY_INTEREST_PRINCIPAL_FEE",
            (
                [Penalty, Interest, Principal, Fee],
                [Penalty, Interest, Principal, Fee],
            ),
        ),
        (
            "DUE_PENALTY_FEE_INTEREST_PRINCIPAL_IN_ADVANCE_PRINCIPAL_PENALTY_FEE_INTEREST",
            (pfip, [Principal, Penalty, Fee, Interest]),
        ),
    ];
    let (due, ahead) = inputs.word("strategy", &words, (pfip, pfip))?;
    let of = |timing: Timing, order: &[Component]| -> Vec<Bucket> {
        let of = |component: &Component| Bucket {
            timing,
            component: *component,
        };
        order.iter().map(of).collect()
    };
    // Orders that begin with what is due know a charge as due on its own day.
    let is_dated = inputs
        .text("strategy")
        .is_some_and(|name| name.starts_with("DUE_"));
    let dated: &[Component] = if is_dated { &[Penalty, Fee] } else { &[] };
    Ok([
        of(Timing::PastDue, &due),
        of(Timing::Due, &due),
        of(Timing::Dated, dated),
        of(Timing::Ahead, &ahead),
    ]
    .concat())
}
