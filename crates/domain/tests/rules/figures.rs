//! Published figures: a handful for each rule, with where they were printed.

use fenqi_domain::amortisation::{
    Division, Figures, FlatFee, annuity, equal_principal, flat_fee, outstanding, rule_of_78,
};
use fenqi_domain::annex_i::Rhythm;
use fenqi_domain::annual_rate::{Flow, NoRate, cn_compound, cn_simple, internal_rate, nominal, percent};
use fenqi_domain::calendar::parse_date;
use fenqi_domain::day_count::Convention;
use fenqi_domain::fraction::Fraction;
use fenqi_domain::money::{Amount, Remainder, Rounding};
use fenqi_domain::unit_period::{Elapsed, UnitPeriod};
use jiff::civil::{Date, date};

fn minor(amount: i64) -> Amount {
    Amount::from_minor(amount)
}

fn part(above: u64, below: u64) -> Fraction {
    Fraction::new(above, below).unwrap()
}

/// One amount received at once and payments by months: from, count, amount.
fn by_months(received: i128, paid: &[(u64, u64, i128)], months: u64) -> Vec<Flow> {
    let payments = paid.iter().flat_map(|(from, count, amount)| {
        (*from..from + count).map(move |month| Flow::after(-amount, part(month, months)))
    });
    core::iter::once(Flow::after(received, Fraction::ZERO))
        .chain(payments)
        .collect()
}

/// A percentage as it is printed.
fn printed(rate: f64, digits: usize) -> String {
    let percent: f64 = percent(rate).parse().unwrap();
    format!("{percent:.digits$}")
}

/// The rate of one advance and payments in the rhythm of the unit-period: first date, then count and amount each.
fn appendix_j(unit: UnitPeriod, advanced: (Date, i128), first: Date, paid: &[(u32, i128)]) -> f64 {
    let begin = unit.between(advanced.0, first, None).unwrap();
    let amounts = paid
        .iter()
        .flat_map(|(count, amount)| (0..*count).map(move |_| *amount));
    let payments = amounts.zip(0i64..).map(|(amount, number)| {
        let time = Elapsed {
            whole: begin.whole + number,
            ..begin
        };
        Flow::after_unit_periods(-amount, time)
    });
    let flows: Vec<Flow> = core::iter::once(Flow::after(advanced.1, Fraction::ZERO))
        .chain(payments)
        .collect();
    nominal(internal_rate(&flows).unwrap(), unit.per_year().unwrap())
}

/// Unit-period, day and amount of the advance, day of the first payment, payments as count × amount, annual rate: 12 CFR
/// Part 1026, Appendix J (c)(1) to (5).
const APPENDIX_J: &str = "
    month     1978-01-10  5000 1978-02-10 24x230.00                     9.69
    month     1978-02-10  6000 1978-04-01 36x200.00                    11.82
    semimonth 1978-02-23  5000 1978-03-01 24x219.17                    10.34
    quarter   1978-05-23 10000 1978-10-01 40x385.00                     8.97
    week      1978-03-20   500 1978-04-21 30x17.60                     14.96
    four-week 1978-03-18   400 1978-04-20 1x39.50+11x38.31             28.50
    month     1978-01-10  5000 1978-02-10 1x250.00+22x230.00+1x280.00  10.90
    two-month 1978-01-10  8000 1978-03-01 1x449.36+18x465.00+1x200.00   7.30
    term      1978-01-03  1000 1978-09-15 1x1080.00                    11.45
    term      1978-07-15  1000 1979-01-15 1x1044.00                     8.80
    term      1978-01-03  1000 1980-01-03 1x1240.00                    11.36";

#[test]
fn the_united_states_print_these_rates() {
    for row in APPENDIX_J.trim().lines() {
        let [unit, advanced, amount, first, payments, expected] =
            row.split_whitespace().collect::<Vec<_>>()[..]
        else {
            panic!("{row}");
        };
        let (advanced, first) = (parse_date(advanced).unwrap(), parse_date(first).unwrap());
        let unit = match unit {
            "semimonth" => UnitPeriod::HalfMonth,
            "quarter" => UnitPeriod::Months(3),
            "two-month" => UnitPeriod::Months(2),
            "week" => UnitPeriod::Weeks(1),
            "four-week" => UnitPeriod::Weeks(4),
            "term" => UnitPeriod::of_term(advanced, first, None).unwrap(),
            _ => UnitPeriod::Months(1),
        };
        let payments: Vec<(u32, i128)> = payments.split('+').map(payment).collect();
        let amount = amount.parse::<i128>().unwrap() * 100;
        let rate = appendix_j(unit, (advanced, amount), first, &payments);
        assert_eq!(printed(rate, 2), expected, "{row}");
    }
}

/// A count and cents.
fn payment(text: &str) -> (u32, i128) {
    let (count, amount) = text.split_once('x').unwrap();
    (count.parse().unwrap(), amount.replace('.', "").parse().unwrap())
}

// European Commission, examples for Directive 2014/17/EU: 1, 8a, 41; example 2.3 is dated.
#[test]
fn the_european_commission_prints_these_rates() {
    let effective = |flows: &[Flow]| printed(internal_rate(flows).unwrap(), 6);
    assert_eq!(
        effective(&by_months(19_600_000, &[(1, 240, 143_286)], 12)),
        "6.434412"
    );
    let balloon = [(1, 240, 116_667), (240, 1, 20_000_000)];
    assert_eq!(effective(&by_months(19_600_000, &balloon, 12)), "7.430479");
    let (drawn, first) = (date(2012, 1, 12), date(2012, 2, 15));
    let yearly = Rhythm::Months(12);
    let begin = yearly.years_between(drawn, first, None).unwrap();
    let payment = |year| Flow::after(-1_654_186, begin.plus(yearly.years(year).unwrap()).unwrap());
    let flows: Vec<Flow> = core::iter::once(Flow::after(19_600_000, Fraction::ZERO))
        .chain((0..20).map(payment))
        .collect();
    assert_eq!(effective(&flows), "6.282070");
}

// 中国人民银行公告〔2021〕第3号; fee tables of 花呗 and 湖北银行; a flat fifth a month (Hong Kong) and an overdraft (United Kingdom).
#[test]
fn banks_print_these_rates() {
    let monthly = |flows: &[Flow]| internal_rate(flows).unwrap();
    let official = monthly(&by_months(990_000, &[(1, 12, 88_333)], 1));
    assert_eq!(printed(cn_simple(official), 2), "12.80");
    assert_eq!(printed(cn_compound(official), 2), "13.58");
    let flat = |count: u64, fee: i128| {
        by_months(
            360_000_000,
            &[(1, count, 360_000_000 / i128::from(count) + fee)],
            1,
        )
    };
    assert_eq!(printed(cn_simple(monthly(&flat(12, 2_250_000))), 1), "13.6");
    assert_eq!(printed(cn_compound(monthly(&flat(12, 72_000_000))), 2), "1606.98");
    let day = [Flow::after(100, Fraction::ZERO), Flow::after(-150, part(1, 365))];
    assert!(
        percent(monthly(&day)).starts_with("18"),
        "1.5 to the power of 365"
    );
    let overdraft = [Flow::after(200, Fraction::ZERO), Flow::after(-350, part(1, 12))];
    assert_eq!(printed(monthly(&overdraft), 1), "82400.5");
}

#[test]
fn flows_that_turn_more_than_once_have_the_only_rate_above_zero_or_the_nearest_below_it() {
    let flows = |amounts: &[i128]| -> Vec<Flow> {
        (0..)
            .zip(amounts)
            .map(|(year, amount)| Flow::after(*amount, part(year, 1)))
            .collect()
    };
    // numpy-financial's tests of irr: roots 0.0886, 0.8 and −0.870; −0.0955; −0.0833 and −0.678.
    let rate = |amounts: &[i128]| printed(internal_rate(&flows(amounts)).unwrap() / 100.0, 4);
    assert_eq!(
        internal_rate(&flows(&[-50, 105, 10, -80, 10])),
        Err(NoRate::Several)
    );
    assert_eq!(rate(&[-100, 0, 0, 74]), "-0.0955");
    assert_eq!(rate(&[-100, 100, 0, -7]), "-0.0833");
    assert_eq!(
        internal_rate(&flows(&[-100, 230, -132])),
        Err(NoRate::Several),
        "0.1 and 0.2"
    );
    assert_eq!(
        rate(&[-1, 100, -110]),
        "0.1124",
        "the other root is 97.9, of which nobody thinks"
    );
    assert_eq!(
        internal_rate(&flows(&[100, -250, 160])),
        Err(NoRate::Unequal),
        "its roots are not real"
    );
    assert_eq!(internal_rate(&flows(&[100, 50])), Err(NoRate::OneSided));
    assert_eq!(internal_rate(&flows(&[100, -50, -50])), Ok(0.0));
    assert!(NoRate::Unequal.to_string().contains("above -100 %"));
    assert_eq!(
        internal_rate(&flows(&[100, -250, 150])),
        Err(NoRate::Several),
        "0 and 0.5"
    );
    assert_eq!(
        internal_rate(&flows(&[100, -200, 100])),
        Ok(0.0),
        "0 twice is one rate"
    );
}

#[test]
fn flows_that_cancel_out_have_every_rate_and_a_rate_beyond_all_has_its_own_reason() {
    let at = |days: u64, amount| Flow::after(amount, part(days, 365));
    let there_and_back = [at(0, 1_000), at(0, -1_000)];
    assert_eq!(internal_rate(&there_and_back), Err(NoRate::Every));
    let twice = [at(31, -100), at(0, 1_000), at(31, 100), at(0, -1_000)];
    assert_eq!(internal_rate(&twice), Err(NoRate::Every));
    // 2 to the power of 365 is 7.5 × 10¹⁰⁹.
    assert_eq!(
        internal_rate(&[at(0, 1_000), at(1, -2_000)]),
        Err(NoRate::TooLarge)
    );
    assert_eq!(
        internal_rate(&[at(0, -1_000), at(1, 2_000)]),
        Err(NoRate::TooLarge),
        "who lends earns it"
    );
}

#[test]
fn a_percentage_has_no_digit_that_is_not_so() {
    let table = [
        (0.128_038_018_51, "12.8038018510"),
        (99.999, "9999.9000000000"),
        (1_234.567_890_123_456_7, "123456.7890123500"),
        (-1_234.567_890_123_456_7, "-123456.7890123500"),
        (1.199_999_999_999_998_8e18, "120000000000000000000.0000000000"),
        (999_999.999_999_999_99, "100000000.0000000000"),
        (-1e-15, "0.0000000000"),
    ];
    for (rate, printed) in table {
        assert_eq!(percent(rate), printed);
    }
}

/// Convention, start, end, days, part of a year: ISDA's examples of 2008 for 30/360 and the EMU memo's of 1998 for ACT/ACT;
/// the rest by hand.
const DAY_COUNTS: &str = "
    bond-basis     2006-08-31 2007-02-28  178 0.494444444444
    bond-basis     2008-02-29 2008-08-31  182 0.505555555556
    bond-basis     2008-02-28 2008-08-31  183 0.508333333333
    eurobond       2008-02-28 2008-08-31  182 0.505555555556
    eurobond-isda  2006-02-28 2006-08-31  180 0.500000000000
    eurobond-isda  2007-08-31 2008-02-29  180 0.500000000000
    eurobond-end   2007-08-31 2008-02-29  179 0.497222222222
    bond-basis-us  2008-02-29 2009-02-28  360 1.000000000000
    bond-basis-us  2006-02-28 2006-08-31  180 0.500000000000
    bond-basis-us  2006-08-31 2007-02-28  178 0.494444444444
    eurobond-plus  2006-08-20 2006-08-31   11 0.030555555556
    eurobond-plus  2006-01-31 2006-03-31   61 0.169444444444
    eurobond-365   2006-01-31 2006-03-31   60 0.164383561644
    no-leap        2008-02-28 2009-02-28  365 1.000000000000
    average-year   2008-01-01 2012-01-01 1461 4.000000000000
    isda           2003-11-01 2004-05-01  182 0.497724380567
    afb            2003-11-01 2004-05-01  182 0.497267759563
    afb            2004-02-28 2008-02-27 1460 3.997267759563
    icma           2003-11-01 2004-05-01  182 0.500000000000
    yearfrac       2012-01-01 2012-07-30  211 0.576502732240
    yearfrac       2011-03-01 2012-02-28  364 0.997260273973
    yearfrac       2000-01-01 2002-12-31 1095 2.997262773723";

fn convention(name: &str, coupon_on: Date) -> Convention {
    match name {
        "bond-basis" => Convention::BondBasis,
        "eurobond" => Convention::Eurobond,
        "eurobond-isda" => Convention::EurobondIsda { ends_all: false },
        "eurobond-end" => Convention::EurobondIsda { ends_all: true },
        "bond-basis-us" => Convention::BondBasisUs,
        "eurobond-plus" => Convention::EurobondPlus,
        "eurobond-365" => Convention::Eurobond365,
        "no-leap" => Convention::NoLeap365,
        "average-year" => Convention::Actual36525,
        "isda" => Convention::ActualActualIsda,
        "afb" => Convention::ActualActualAfb,
        "icma" => Convention::ActualActualIcma { months: 6, coupon_on },
        _ => Convention::ActualActualYearfrac,
    }
}

#[test]
fn days_are_counted_as_the_trade_does() {
    for row in DAY_COUNTS.trim().lines() {
        let [name, start, end, days, years] = row.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let (start, end) = (parse_date(start).unwrap(), parse_date(end).unwrap());
        let counted = convention(name, end).count(start, end).unwrap();
        let found = (counted.days, counted.years.decimal(12).unwrap());
        assert_eq!(found, (days.parse().unwrap(), years.to_owned()), "{row}");
    }
    let (a, b) = (date(2003, 11, 1), date(2004, 5, 1));
    assert!(Convention::Actual360.count(b, a).is_err());
    let five = Convention::ActualActualIcma {
        months: 5,
        coupon_on: b,
    };
    assert!(five.count(a, b).is_err());
}

// The EMU memo's long first period of half-year coupons: 15 August 2002 to 15 July 2003, then to 15 January 2004.
#[test]
fn a_long_first_coupon_is_counted_in_the_periods_before_it() {
    let coupons = Convention::ActualActualIcma {
        months: 6,
        coupon_on: date(2003, 7, 15),
    };
    let years = coupons.count(date(2002, 8, 15), date(2003, 7, 15)).unwrap().years;
    assert_eq!(years.decimal(12).unwrap(), "0.915760869565");
}

const FLOOR_FIRST: Division = Division {
    rounding: Rounding::Down,
    remainder: Remainder::First,
};

// 花呗's cashier; a Japanese fee table (2.04 of 100 in three); 广发银行's 2,679.00 over 24 at 8.04 each.
#[test]
fn flat_fees_come_out_as_the_cashier_prints_them() {
    let fee = part(75, 1_000).of(minor(111_111), Rounding::HalfEven).unwrap();
    let table = flat_fee(minor(111_111), FlatFee::Whole(fee), 12, FLOOR_FIRST).unwrap();
    assert_eq!((table.fees, table.rows[1].due), (minor(8_333), minor(9_953)));
    let yen = flat_fee(minor(50_000), FlatFee::Whole(minor(1_020)), 3, FLOOR_FIRST).unwrap();
    let dues: Vec<i64> = yen.rows.iter().map(|row| row.due.minor()).collect();
    assert_eq!(dues, [17_008, 17_006, 17_006]);
    let nearest = Division {
        rounding: Rounding::HalfUp,
        remainder: Remainder::Last,
    };
    let table = flat_fee(minor(267_900), FlatFee::EachPeriod(minor(804)), 24, nearest).unwrap();
    assert_eq!(
        (table.rows[0].principal, table.rows[23].principal),
        (minor(11_163), minor(11_151))
    );
    assert_eq!(table.rows[23].outstanding, Amount::ZERO);
    assert!(
        nearest.parts(minor(3), 5).is_err(),
        "five times one is more than three"
    );
}

// European Commission, example 1; a mortgage of a million at 4.9 % over thirty years, as calculators print it.
#[test]
fn each_figure_of_a_mortgage_is_right_to_the_last_unit() {
    let rate = part(49, 12_000);
    let table = annuity(minor(100_000_000), rate, 360, Figures::Each).unwrap();
    let first = table.rows[0];
    assert_eq!(
        (first.interest, first.principal, first.due),
        (minor(408_333), minor(122_393), minor(530_727))
    );
    assert_eq!(table.interest, minor(91_061_619));
    assert_eq!(table.rows[359].outstanding, Amount::ZERO);
    assert_eq!(
        outstanding(minor(20_000_000), part(5, 1_200), 240, 60),
        Ok(minor(16_690_973))
    );
    let equal = equal_principal(minor(100_000_000), rate, 360, Figures::Each).unwrap();
    assert_eq!(
        (equal.rows[0].due, equal.interest),
        (minor(686_111), minor(73_704_167))
    );
    let free = annuity(minor(1_000), Fraction::ZERO, 3, Figures::Each).unwrap();
    assert_eq!(
        (free.rows[1].due, free.rows[1].outstanding, free.interest),
        (minor(333), minor(333), Amount::ZERO)
    );
}

// 1,000 at 8.25 % over six months: the last interest takes what rounding left.
#[test]
fn a_settled_annuity_ends_at_nothing_in_its_last_row() {
    let last = Division {
        rounding: Rounding::HalfUp,
        remainder: Remainder::Last,
    };
    let table = annuity(minor(100_000), part(825, 120_000), 6, Figures::Settled(last)).unwrap();
    let paid: i64 = table.rows.iter().map(|row| row.principal.minor()).sum();
    assert_eq!((paid, table.rows[5].outstanding), (100_000, Amount::ZERO));
    assert!(table.rows[..5].iter().all(|row| row.due == table.rows[0].due));
    let equal = equal_principal(minor(100_001), part(1, 100), 3, Figures::Settled(FLOOR_FIRST)).unwrap();
    let parts: Vec<i64> = equal.rows.iter().map(|row| row.principal.minor()).collect();
    assert_eq!(parts, [33_335, 33_333, 33_333]);
}

// Tutorials of easycalculation.com (100 over 12, 9 unused) and codingace.net (1,800 over 24, 6 unused).
#[test]
fn the_rule_of_78_gives_back_what_is_published() {
    assert_eq!(rule_of_78(minor(10_000), 12, 9), Ok(minor(5_769)));
    assert_eq!(rule_of_78(minor(180_000), 24, 6), Ok(minor(12_600)));
    assert!(rule_of_78(minor(1), 12, 13).is_err() && rule_of_78(minor(1), 0, 0).is_err());
    assert!(outstanding(minor(1), part(1, 100), 12, 13).is_err());
}
