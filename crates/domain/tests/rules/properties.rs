//! What holds for every amount, rate, count and sequence.

use fenqi_domain::calendar::{DayCount, DueRule, Holidays, Roll};
use fenqi_domain::credit::Line;
use fenqi_domain::money::{Amount, Currency, Money, Rate, Remainder, Rounding, divide};
use fenqi_domain::plan::{FeeTiming, Instalment, Pricing};
use fenqi_domain::refusal::Denied;
use fenqi_domain::schedule::schedule;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use crate::market::{TODAY, conventions, now};

fn roundings() -> impl Strategy<Value = Rounding> {
    prop_oneof![
        Just(Rounding::HalfUp),
        Just(Rounding::HalfEven),
        Just(Rounding::Down),
        Just(Rounding::Up)
    ]
}

fn remainders() -> impl Strategy<Value = Remainder> {
    prop_oneof![
        Just(Remainder::First),
        Just(Remainder::Last),
        Just(Remainder::Spread)
    ]
}

fn day_counts() -> impl Strategy<Value = DayCount> {
    prop_oneof![
        Just(DayCount::Thirty360),
        Just(DayCount::Actual360),
        Just(DayCount::Actual365)
    ]
}

fn pricings() -> impl Strategy<Value = Pricing> {
    let rate = (0i64..=360_000_000).prop_map(Rate::from_ppb);
    let timing = prop_oneof![Just(FeeTiming::EveryPeriod), Just(FeeTiming::WithFirst)];
    prop_oneof![
        Just(Pricing::InterestFree),
        (rate.clone(), timing, roundings()).prop_map(|(total_rate, timing, fee_rounding)| {
            Pricing::FlatFee {
                total_rate,
                timing,
                fee_rounding,
            }
        }),
        (rate.clone(), day_counts()).prop_map(|(annual, day_count)| Pricing::Annuity { annual, day_count }),
        (rate, day_counts()).prop_map(|(annual, day_count)| Pricing::EqualPrincipal { annual, day_count }),
    ]
}

fn days() -> impl Strategy<Value = Date> {
    (2020i16..2040, 1i8..=12, 1i8..=31).prop_map(|(year, month, day)| {
        let first = date(year, month, 1);
        date(year, month, day.min(first.days_in_month()))
    })
}

fn rules() -> impl Strategy<Value = DueRule> {
    prop_oneof![
        Just(DueRule::OrderAnchored),
        (1u8..=31, 0u16..60).prop_map(|(day, first_after_days)| DueRule::FixedDay {
            day,
            first_after_days
        }),
        (1u8..=31, 0u16..40).prop_map(|(statement_day, due_after_days)| DueRule::Statement {
            statement_day,
            due_after_days
        }),
    ]
}

fn total(rows: &[Instalment], part: fn(&Instalment) -> Amount) -> i64 {
    rows.iter().map(|row| part(row).minor()).sum()
}

proptest! {
    #[test]
    fn a_split_sums_to_the_whole_and_its_parts_differ_as_named(
        amount in 0i64..1_000_000_000_000_000, count in 1u16..=60, remainder in remainders(),
    ) {
        let parts = Amount::from_minor(amount).split(count, remainder);
        prop_assert_eq!(parts.len(), usize::from(count));
        prop_assert_eq!(parts.iter().map(|p| p.minor()).sum::<i64>(), amount);
        let (least, most) = (parts.iter().min().unwrap().minor(), parts.iter().max().unwrap().minor());
        let allowed = if remainder == Remainder::Spread { 1 } else { i64::from(count) - 1 };
        prop_assert!(most - least <= allowed);
    }

    #[test]
    fn shares_by_weight_sum_to_the_whole_and_are_off_by_less_than_one(
        amount in 0i64..1_000_000_000_000, weights in proptest::collection::vec(0i64..1_000_000, 1..20),
    ) {
        let weighed: Vec<Amount> = weights.iter().copied().map(Amount::from_minor).collect();
        let parts = Amount::from_minor(amount).by_weights(&weighed).unwrap();
        prop_assert_eq!(parts.iter().map(|p| p.minor()).sum::<i64>(), amount);
        let all: i128 = weights.iter().map(|w| i128::from(*w)).sum();
        if all > 0 {
            for (part, weight) in parts.iter().zip(&weights) {
                let off = i128::from(part.minor()) * all - i128::from(amount) * i128::from(*weight);
                prop_assert!(off.abs() < all);
            }
        }
    }

    #[test]
    fn a_rounded_quotient_is_the_nearest_in_its_direction(
        numerator in -1_000_000_000_000i128..1_000_000_000_000, denominator in 1i128..1_000_000,
        rounding in roundings(),
    ) {
        let quotient = i128::from(divide(numerator, denominator, rounding).unwrap());
        // The same fraction in 128 bits, where the arithmetic is another.
        let wide = divide(numerator << 70, denominator << 70, rounding).unwrap();
        prop_assert_eq!(i128::from(wide), quotient);
        let off = quotient * denominator - numerator;
        prop_assert!(off.abs() < denominator);
        match rounding {
            Rounding::HalfUp | Rounding::HalfEven => prop_assert!(2 * off.abs() <= denominator),
            Rounding::Down => prop_assert!(quotient.abs() * denominator <= numerator.abs()),
            Rounding::Up => prop_assert!(quotient.abs() * denominator >= numerator.abs()),
        }
        if 2 * off.abs() == denominator {
            match rounding {
                Rounding::HalfEven => prop_assert_eq!(quotient % 2, 0),
                Rounding::HalfUp => prop_assert!(quotient.abs() * denominator > numerator.abs()),
                Rounding::Down | Rounding::Up => {}
            }
        }
    }

    #[test]
    fn money_reads_back_what_it_writes(minor in 0i64..=1_000_000_000_000_000, place in 0usize..6) {
        let currency = Currency::ALL[place];
        let money = Money { amount: Amount::from_minor(minor), currency };
        let text = money.to_string();
        let number = text.split(' ').next().unwrap();
        prop_assert_eq!(Money::parse(number, currency), Ok(money));
    }

    #[test]
    fn no_text_breaks_the_reading_of_money(text in "\\PC{0,24}") {
        let _ = Money::parse(&text, Currency::Cny);
        let _ = Rate::from_percent(&text);
    }

    #[test]
    fn a_schedule_adds_up_and_nothing_in_it_is_negative(
        pricing in pricings(), principal in 0i64..1_000_000_000, count in 1u16..=60, from in days(),
        borne in 0i64..=1_000_000_000, rounding in roundings(), remainder in remainders(),
    ) {
        let mut conventions = conventions();
        conventions.rounding = rounding;
        conventions.remainder = remainder;
        let dates = DueRule::OrderAnchored.dates(from, count, Roll::None, &Holidays::default()).unwrap();
        let principal = Amount::from_minor(principal);
        let rows = |borne| schedule(&pricing, principal, &dates, from, borne, &conventions).unwrap();
        let (origin, shared) = (rows(Rate::ZERO), rows(Rate::from_ppb(borne)));
        prop_assert_eq!(total(&shared, |r| r.principal), principal.minor());
        prop_assert_eq!(shared.len(), usize::from(count));
        for (a, b) in origin.iter().zip(&shared) {
            let cost = a.interest.minor() + a.fee.minor();
            prop_assert_eq!(b.interest.minor() + b.fee.minor() + b.subsidy.minor(), cost);
            prop_assert!([b.principal, b.interest, b.fee, b.subsidy].iter().all(|part| !part.is_negative()));
        }
        if let Pricing::FlatFee { total_rate, fee_rounding, .. } = pricing {
            let fee = principal.at(total_rate, fee_rounding).unwrap().minor();
            prop_assert_eq!(total(&origin, |r| r.fee), fee);
        }
        if let Pricing::Annuity { .. } = pricing {
            let dues: Vec<i64> = origin.iter().map(|r| r.principal.minor() + r.interest.minor()).collect();
            // Where the level payment covers each period's interest, all rows but the last are level.
            if origin.iter().all(|r| r.principal.is_positive()) {
                prop_assert!(dues.iter().take(dues.len() - 1).all(|due| *due == dues[0]));
            }
        }
    }

    #[test]
    fn due_dates_ascend_and_keep_to_working_days(
        rule in rules(), signed in days(), count in 1u16..=60, off in proptest::collection::vec(days(), 0..40),
    ) {
        let holidays = Holidays::new(off, Vec::new());
        let plain = rule.dates(signed, count, Roll::None, &holidays).unwrap();
        prop_assert!(plain.windows(2).all(|pair| pair[0] < pair[1]));
        let rolled = rule.dates(signed, count, Roll::Following, &holidays).unwrap();
        for (plain, rolled) in plain.iter().zip(&rolled) {
            prop_assert!(rolled >= plain && holidays.is_working_day(*rolled));
        }
        let kept = rule.dates(signed, count, Roll::ModifiedFollowing, &holidays).unwrap();
        for (plain, kept) in plain.iter().zip(&kept) {
            prop_assert!(plain.month() == kept.month() && holidays.is_working_day(*kept));
        }
        if let DueRule::FixedDay { first_after_days, .. } = rule {
            let days = fenqi_domain::calendar::days_between(signed, plain[0]);
            prop_assert!(days >= i64::from(first_after_days) && days <= i64::from(first_after_days) + 31);
        }
    }

    #[test]
    fn used_and_held_never_pass_the_limit_by_any_sequence_of_purchases(
        limit in 0i64..100_000, steps in proptest::collection::vec((0u8..3, 0i64..60_000), 0..60),
    ) {
        let at: Timestamp = now();
        let mut line = Line::granted("xiaofu", Amount::from_minor(limit), date(2027, 1, 1), at).unwrap().line;
        for (kind, amount) in steps {
            let amount = Amount::from_minor(amount);
            let before = line.clone();
            let moved = match kind {
                0 => line.hold(amount, Amount::ZERO, TODAY, at),
                1 => line.repaid(amount, at),
                _ => line.refunded(amount, at),
            };
            match moved {
                Ok(moved) => {
                    prop_assert_eq!(moved.change.available, moved.line.available().unwrap());
                    line = moved.line;
                }
                Err(Denied::Refused(_)) => prop_assert!(amount > before.available().unwrap()),
                Err(Denied::OutOfRange(_)) => {
                    prop_assert!(kind != 0 && (amount > before.held || amount > before.used));
                }
            }
            prop_assert!(!line.used.is_negative() && !line.held.is_negative());
            prop_assert!(line.used.plus(line.held).unwrap() <= line.limit);
        }
    }
}
