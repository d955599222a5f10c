//! Annual rates by the methods of several legal regimes.

use fenqi_domain::annex_i::Rhythm;
use fenqi_domain::annual_rate::{Flow, NoRate, cn_compound, cn_simple, internal_rate, nominal, percent};
use fenqi_domain::calendar::{add_days, add_months, days_between};
use fenqi_domain::fraction::Fraction;
use fenqi_domain::money::OutOfRange;
use fenqi_domain::unit_period::UnitPeriod;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::days::unit_period;
use super::fields::{Fields, Wrong};

/// The most flows of a line, each repetition counted: ten years of days.
const FLOWS_MAX: usize = 4_000;

/// A way to state what credit costs in a year.
#[derive(Clone, Copy, PartialEq)]
enum Method {
    UsActuarial,
    EuEffective,
    CnSimple,
    CnCompound,
    DatedEffective,
}

/// Flows of one amount, one after the other.
struct Group<'a> {
    fields: Fields<'a>,
    /// In units of 10⁻¹⁵: received if positive, paid if negative.
    amount: i128,
    when: When,
    count: u32,
    /// Months from one to the next, if the line says so.
    every_months: Option<u16>,
}

/// When the first of a group flows.
#[derive(Clone, Copy)]
enum When {
    Date(Date),
    /// Months after any fixed point.
    Month(i32),
}

/// All groups, dated alike.
enum Placed<'a> {
    Dates(Vec<(Group<'a>, Date)>),
    Months(Vec<(Group<'a>, i32)>),
}

/// The rate at which what is received and what is paid are worth the same.
pub fn read(fields: &Fields) -> Result<Vec<(&'static str, Value)>, Wrong> {
    let methods = [
        ("us_actuarial", Method::UsActuarial),
        ("eu_effective", Method::EuEffective),
        ("cn_simple", Method::CnSimple),
        ("cn_compound", Method::CnCompound),
        ("dated_effective", Method::DatedEffective),
    ];
    let method = fields.word("method", &methods)?;
    match method {
        Method::UsActuarial => fields.only(
            "annual_rate us_actuarial",
            &["received", "paid", "unit_period", "payment_day"],
        )?,
        Method::EuEffective => fields.only(
            "annual_rate eu_effective",
            &["received", "paid", "unit_period", "payment_day", "convention"],
        )?,
        _ => fields.only("annual_rate by this method", &["received", "paid"])?,
    }
    let groups = groups(fields)?;
    let rate = match method {
        Method::UsActuarial => us_actuarial(fields, groups)?,
        Method::EuEffective => solved(fields, &eu_effective(fields, groups)?)?,
        Method::CnSimple => cn_simple(solved(fields, &monthly(fields, groups)?)?),
        Method::CnCompound => cn_compound(solved(fields, &monthly(fields, groups)?)?),
        Method::DatedEffective => {
            let Placed::Dates(groups) = placed(groups)? else {
                return Err(fields.wrong("method", "dated_effective counts days; write date and not month"));
            };
            solved(fields, &by_days(&groups, None, 365, 1)?)?
        }
    };
    Ok(vec![("percent", json!(percent(rate)))])
}

/// The internal rate, or why there is none.
fn solved(fields: &Fields, flows: &[Flow]) -> Result<f64, Wrong> {
    internal_rate(flows).map_err(|error| match error {
        NoRate::OneSided => fields.wrong("paid", error),
        _ => fields.wrong("received", error),
    })
}

/// What flows, in both directions.
fn groups<'a>(fields: &Fields<'a>) -> Result<Vec<Group<'a>>, Wrong> {
    let mut groups = Vec::new();
    let mut left = FLOWS_MAX;
    for (name, sign) in [("received", 1), ("paid", -1)] {
        for item in fields.list(name, "a list of objects with amount and date or month")? {
            let group = group(item, sign)?;
            let count = usize::try_from(group.count).unwrap_or(usize::MAX);
            left = left.checked_sub(count).ok_or_else(|| {
                fields.wrong(
                    name,
                    format!("holds too many flows; {FLOWS_MAX} are allowed altogether"),
                )
            })?;
            groups.push(group);
        }
    }
    Ok(groups)
}

/// One object of the lists.
fn group(item: Fields<'_>, sign: i128) -> Result<Group<'_>, Wrong> {
    item.only("a flow", &["amount", "date", "month", "count", "every_months"])?;
    let when = match (item.has("date"), item.has("month")) {
        (true, false) => When::Date(item.date("date")?),
        (false, true) => When::Month(item.whole("month", -12_000..=12_000)?),
        (true, true) => return Err(item.wrong("month", "is one too many beside date")),
        (false, false) => return Err(item.wrong("date", "is missing; date or month is expected")),
    };
    let every_months = if item.has("every_months") {
        Some(item.whole("every_months", 1..=1_200)?)
    } else {
        None
    };
    Ok(Group {
        amount: item.flow("amount")?.saturating_mul(sign),
        when,
        count: item.whole_or("count", 1..=4_000, 1)?,
        every_months,
        fields: item,
    })
}

/// The groups by dates or by months, as the first of them is.
fn placed(groups: Vec<Group>) -> Result<Placed, Wrong> {
    let is_dated = groups.first().is_some_and(|g| matches!(g.when, When::Date(_)));
    let (mut dates, mut months) = (Vec::new(), Vec::new());
    for group in groups {
        match group.when {
            When::Date(date) if is_dated => dates.push((group, date)),
            When::Month(month) if !is_dated => months.push((group, month)),
            When::Date(_) => {
                return Err(group
                    .fields
                    .wrong("date", "stands where others have month; write one or the other"));
            }
            When::Month(_) => {
                return Err(group
                    .fields
                    .wrong("month", "stands where others have date; write one or the other"));
            }
        }
    }
    Ok(if is_dated {
        Placed::Dates(dates)
    } else {
        Placed::Months(months)
    })
}

/// What does not fit, at a group.
fn unfit<'a>(group: &'a Group) -> impl Fn(OutOfRange) -> Wrong + 'a {
    |error| group.fields.wrong("count", error)
}

/// Regulation Z, Appendix J: the nominal rate of the unit-period, times those of a year.
fn us_actuarial(fields: &Fields, groups: Vec<Group>) -> Result<f64, Wrong> {
    let payment_day = fields.payment_day()?;
    let stated = if fields.has("unit_period") {
        unit_period(fields)?
    } else {
        None
    };
    let placed = placed(groups)?;
    let unit = match stated {
        Some(unit) => unit,
        None => term(fields, &placed, payment_day)?,
    };
    let flows = match placed {
        Placed::Dates(groups) => us_dated(&groups, unit, payment_day)?,
        Placed::Months(groups) => us_monthly(fields, &groups, unit)?,
    };
    let per_year = unit
        .per_year()
        .map_err(|error| fields.wrong("unit_period", error))?;
    Ok(nominal(solved(fields, &flows)?, per_year))
}

/// The unit-period of a loan that is paid back at once.
fn term(fields: &Fields, placed: &Placed, payment_day: Option<u8>) -> Result<UnitPeriod, Wrong> {
    let missing = || {
        fields.wrong(
            "unit_period",
            "is the term only of one amount received and one paid later; otherwise write the commonest interval between payments, such as {\"base\": \"month\", \"multiple\": 1}",
        )
    };
    let (is_one_each, unit) = match placed {
        Placed::Dates(groups) => match groups.as_slice() {
            [(a, from), (b, until)] => (
                is_loan(a, b),
                UnitPeriod::of_term(*from, *until, payment_day).ok(),
            ),
            _ => (false, None),
        },
        Placed::Months(groups) => match groups.as_slice() {
            [(a, from), (b, until)] => (is_loan(a, b), whole_months(until.saturating_sub(*from))),
            _ => (false, None),
        },
    };
    unit.filter(|_| is_one_each).ok_or_else(missing)
}

/// Whether one amount is received and one is paid.
fn is_loan(received: &Group, paid: &Group) -> bool {
    received.amount > 0 && paid.amount < 0 && received.count == 1 && paid.count == 1
}

/// A term of so many months as a unit-period.
fn whole_months(months: i32) -> Option<UnitPeriod> {
    match u8::try_from(months) {
        Ok(months @ 1..=11) => Some(UnitPeriod::Months(months)),
        _ if months >= 12 => Some(UnitPeriod::Year),
        _ => None,
    }
}

/// Flows by date, counted from the first advance.
fn us_dated(groups: &[(Group, Date)], unit: UnitPeriod, payment_day: Option<u8>) -> Result<Vec<Flow>, Wrong> {
    let first = first_received(groups);
    let mut flows = Vec::new();
    for (group, date) in groups {
        if *date < first {
            return Err(group.fields.wrong(
                "date",
                format!("{date} is before the first advance, {first}, from which time is counted"),
            ));
        }
        let begin = unit.between(first, *date, payment_day).map_err(unfit(group))?;
        for number in 0..group.count {
            let time = match group.every_months {
                None => {
                    let mut time = begin;
                    time.whole = time.whole.saturating_add(i64::from(number));
                    Ok(time)
                }
                Some(_) => {
                    nth_date(group, *date, number).and_then(|date| unit.between(first, date, payment_day))
                }
            };
            flows.push(Flow::after_unit_periods(
                group.amount,
                time.map_err(unfit(group))?,
            ));
        }
    }
    Ok(flows)
}

/// Flows by months after the first advance.
fn us_monthly(fields: &Fields, groups: &[(Group, i32)], unit: UnitPeriod) -> Result<Vec<Flow>, Wrong> {
    let first = first_received(groups);
    let mut flows = Vec::new();
    for (group, month) in groups {
        let after = |months: i64| {
            u32::try_from(months)
                .map_err(|_| {
                    group.fields.wrong(
                        "month",
                        format!("is before the first advance, {first}, from which time is counted"),
                    )
                })
                .and_then(|months| unit.after_months(months).map_err(unfit(group)))
                .and_then(|time| {
                    time.ok_or_else(|| {
                        fields.wrong("unit_period", "of days or weeks needs date and not month")
                    })
                })
        };
        let begin = i64::from(*month).saturating_sub(i64::from(first));
        for number in 0..group.count {
            let mut time = after(begin.saturating_add(months_to(group, 0, number)))?;
            if group.every_months.is_none() {
                time.whole = time.whole.saturating_add(i64::from(number));
            }
            flows.push(Flow::after_unit_periods(group.amount, time));
        }
    }
    Ok(flows)
}

/// Months to a repetition, if the line or else a rhythm says how many lie between two of them.
fn months_to(group: &Group, rhythm: u16, number: u32) -> i64 {
    i64::from(group.every_months.unwrap_or(rhythm)).saturating_mul(i64::from(number))
}

/// The time of the first advance; of the first flow if there is none.
fn first_received<T: Copy + Ord + Default>(groups: &[(Group, T)]) -> T {
    let times = |is_wanted: fn(&Group) -> bool| {
        groups
            .iter()
            .filter(move |(g, _)| is_wanted(g))
            .map(|(_, at)| *at)
    };
    times(|g| g.amount > 0)
        .min()
        .or_else(|| times(|_| true).min())
        .unwrap_or_default()
}

/// The date of a repetition, reckoned from the first so that a day of the month is kept.
fn nth_date(group: &Group, date: Date, number: u32) -> Result<Date, OutOfRange> {
    let months = months_to(group, 1, number);
    add_months(date, i32::try_from(months).map_err(|_| OutOfRange("a date"))?)
}

/// Directive 2008/48/EC, Annex I: years are counted in the payments' own period.
fn eu_effective(fields: &Fields, groups: Vec<Group>) -> Result<Vec<Flow>, Wrong> {
    let conventions = [("eu_apr_annex1", false), ("uk_365.25", true)];
    let by_average_year = fields.word_or("convention", &conventions, false)?;
    let payment_day = fields.payment_day()?;
    let stated = if fields.has("unit_period") {
        unit_period(fields)?
    } else {
        Some(UnitPeriod::Months(1))
    };
    let usual = match stated {
        Some(UnitPeriod::Months(months)) => Rhythm::Months(u16::from(months)),
        Some(UnitPeriod::Weeks(weeks)) => Rhythm::Weeks(u16::from(weeks)),
        Some(UnitPeriod::Year) => Rhythm::Months(12),
        _ => {
            return Err(fields.wrong(
                "unit_period/base",
                "is not allowed by this method; allowed: week, month, year",
            ));
        }
    };
    let groups = match placed(groups)? {
        Placed::Months(groups) => {
            let rhythm = match usual {
                Rhythm::Months(months) => months,
                Rhythm::Weeks(_) => {
                    return Err(fields.wrong("unit_period", "of weeks needs date and not month"));
                }
            };
            return by_months(&groups, rhythm, 12);
        }
        Placed::Dates(groups) if by_average_year => return by_days(&groups, Some(usual), 1_461, 4),
        Placed::Dates(groups) => groups,
    };
    let first = first_received(&groups);
    let mut flows = Vec::new();
    for (group, date) in &groups {
        let rhythm = group.every_months.map_or(usual, Rhythm::Months);
        for number in 0..group.count {
            flows.push(eu_flow(group, rhythm, (first, *date), payment_day, number).map_err(unfit(group))?);
        }
    }
    Ok(flows)
}

/// A repetition of a flow, so many years after the first drawdown or, for a charge, before it.
fn eu_flow(
    group: &Group,
    rhythm: Rhythm,
    (first, date): (Date, Date),
    payment_day: Option<u8>,
    number: u32,
) -> Result<Flow, OutOfRange> {
    if date >= first {
        let begin = rhythm.years_between(first, date, payment_day)?;
        return Ok(Flow::after(group.amount, begin.plus(rhythm.years(number)?)?));
    }
    let nth = nth_in(rhythm, date, number)?;
    if nth < first {
        rhythm
            .years_between(nth, first, payment_day)
            .map(|years| Flow::before(group.amount, years))
    } else {
        rhythm
            .years_between(first, nth, payment_day)
            .map(|years| Flow::after(group.amount, years))
    }
}

/// The date of a repetition in a rhythm.
fn nth_in(rhythm: Rhythm, date: Date, number: u32) -> Result<Date, OutOfRange> {
    let error = OutOfRange("a date");
    let times = |length: u16| i64::from(length).saturating_mul(i64::from(number));
    match rhythm {
        Rhythm::Months(months) => add_months(date, i32::try_from(times(months)).map_err(|_| error)?),
        Rhythm::Weeks(weeks) => add_days(date, times(weeks).saturating_mul(7)),
    }
}

/// Flows by equal months, for a monthly rate.
fn monthly(fields: &Fields, groups: Vec<Group>) -> Result<Vec<Flow>, Wrong> {
    let dates = match placed(groups)? {
        Placed::Months(groups) => return by_months(&groups, 1, 1),
        Placed::Dates(groups) => groups,
    };
    let first = dates.iter().map(|(_, date)| *date).min();
    let first = first.ok_or_else(|| fields.wrong("received", NoRate::OneSided))?;
    // A month is a month by the contract, so that dates tell it only if they are whole months apart.
    let months = dates.into_iter().map(|(group, date)| {
        let elapsed = UnitPeriod::Months(1).between(first, date, None).map_err(unfit(&group))?;
        let months = i32::try_from(elapsed.whole).ok().filter(|_| elapsed.fraction.is_zero());
        let months = months.filter(|months| add_months(first, *months) == Ok(date));
        match months {
            Some(months) => Ok((group, months)),
            None => Err(group.fields.wrong(
                "date",
                format!("{date} is not whole months after {first}, and this method counts equal months; write month"),
            )),
        }
    });
    by_months(&months.collect::<Result<Vec<_>, Wrong>>()?, 1, 1)
}

/// Flows by months over the months of a unit of time.
fn by_months(groups: &[(Group, i32)], rhythm: u16, unit: u64) -> Result<Vec<Flow>, Wrong> {
    let first = groups.iter().map(|(_, month)| *month).min().unwrap_or_default();
    let mut flows = Vec::new();
    for (group, month) in groups {
        for number in 0..group.count {
            let months = i64::from(*month)
                .saturating_sub(i64::from(first))
                .saturating_add(months_to(group, rhythm, number));
            let time = Fraction::new(u64::try_from(months).unwrap_or(0), unit);
            flows.push(Flow::after(group.amount, time.map_err(unfit(group))?));
        }
    }
    Ok(flows)
}

/// Flows by days after the first of them, `times` over a `year`.
fn by_days(
    groups: &[(Group, Date)],
    rhythm: Option<Rhythm>,
    year: u64,
    times: u64,
) -> Result<Vec<Flow>, Wrong> {
    let first = groups.iter().map(|(_, date)| *date).min().unwrap_or_default();
    let mut flows = Vec::new();
    for (group, date) in groups {
        let rhythm = group
            .every_months
            .map(Rhythm::Months)
            .or(rhythm)
            .unwrap_or(Rhythm::Months(1));
        for number in 0..group.count {
            let time = nth_in(rhythm, *date, number).and_then(|date| {
                let days = u64::try_from(days_between(first, date)).unwrap_or(0);
                Fraction::new(days.saturating_mul(times), year)
            });
            flows.push(Flow::after(group.amount, time.map_err(unfit(group))?));
        }
    }
    Ok(flows)
}
