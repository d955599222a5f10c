//! Interest on the balance, in figures reckoned by hand: 100.00 at 7 % over six months of 30 days is paid in 17.01 a month,
//! and a month's interest is the balance × 7 % ÷ 12, half to even: 0.58 in the first, then 0.49, 0.39, 0.29, 0.20 and 0.10.

use fenqi_domain::calendar::DayCount;
use fenqi_domain::loan::{Amendment, Broken, Event, interest_caused, quote};
use fenqi_domain::money::Rate;
use fenqi_domain::plan::{Component, Pricing};
use fenqi_domain::servicing::{Ahead, Credit, Rule, Timing, Until};
use jiff::civil::date;

use crate::servicing::{
    SEVEN, amended, buckets, came_to, daily, first, lent, lived, met, paid, servicing, signed, tried,
};
use crate::terms::{fen, percent};

/// A change of the rows from the first on, entered four days after the loan was made.
fn rescheduled(extra: u16, grace: u16, interest_grace: u16) -> (jiff::civil::Date, Event) {
    let by = Amendment::Rescheduled {
        from: first(2),
        to: None,
        extra,
        grace,
        interest_grace,
    };
    amended(date(2024, 1, 5), by)
}

#[test]
fn rows_are_level_anew_where_there_are_more_of_them_and_only_there() {
    let table = [
        // The first row's interest is put off: its 17.01 are principal, and the second row owes 0.58 + 0.48.
        (
            (0, 0, 1),
            vec![
                (17_01, 0),
                (15_95, 1_06),
                (16_62, 39),
                (16_72, 29),
                (16_81, 20),
                (16_89, 10),
            ],
        ),
        // 100.00 over eight months is 12.83 a month.
        (
            (2, 0, 0),
            vec![
                (12_83 - 58, 58),
                (12_83 - 51, 51),
                (12_83 - 44, 44),
                (12_83 - 37, 37),
                (12_83 - 30, 30),
                (12_83 - 22, 22),
                (12_83 - 15, 15),
                (12_83 - 7, 7),
            ],
        ),
        // A month of interest alone, and then 100.00 over six as before.
        (
            (0, 1, 0),
            vec![
                (0, 58),
                (16_43, 58),
                (16_52, 49),
                (16_62, 39),
                (16_72, 29),
                (16_81, 20),
                (16_90, 10),
            ],
        ),
    ];
    for ((extra, grace, interest_grace), rows) in table {
        let terms = signed(SEVEN, 6, servicing(Ahead::Next));
        let change = rescheduled(extra, grace, interest_grace);
        let life = lived(&terms, &[lent(100_00), change], date(2024, 1, 5));
        assert_eq!(came_to(&life), rows, "{extra} {grace} {interest_grace}");
    }
}

#[test]
fn money_ahead_passes_rows_of_interest_alone_by() {
    let mut servicing = daily(Until::PaymentDay);
    servicing.interest_only = 2;
    let terms = signed(SEVEN, 6, servicing);
    let by = Amendment::RateChanged { annual: percent("7") };
    let payment = paid(date(2024, 1, 15), 30_00);
    let table = [
        vec![lent(100_00), payment.clone()],
        // The same rate once more makes the rows to come level anew, and as high as before.
        vec![lent(100_00), amended(date(2024, 1, 10), by), payment],
    ];
    for events in table {
        let life = lived(&terms, &events, first(2));
        // 14 of 31 days earned 0.26 by then. The third row asks for 100.00 over four months, 25.37, and the fourth has the
        // rest.
        assert_eq!(life.loan.rows[0].interest.paid, fen(26), "{events:?}");
        assert_eq!(met(&life), [0, 0, 25_37, 4_37, 0, 0], "{events:?}");
    }
}

#[test]
fn a_rate_that_changes_after_the_last_due_date_changes_nothing() {
    let terms = signed(SEVEN, 3, servicing(Ahead::Next));
    let changed = |on, to| {
        let annual = percent(to);
        amended(on, Amendment::RateChanged { annual })
    };
    let dearer = changed(date(2024, 2, 15), "20");
    let on = date(2024, 4, 10);
    let before = lived(&terms, &[lent(300_00), dearer.clone()], on);
    let after = lived(&terms, &[lent(300_00), dearer, changed(on, "30")], on);
    assert_eq!(came_to(&after), came_to(&before));
}

#[test]
fn days_without_interest_may_be_told_after_more_was_lent_in_the_same_period() {
    let terms = signed(SEVEN, 3, servicing(Ahead::Next));
    let more = (date(2024, 1, 16), Event::Disbursed { amount: fen(300_00) });
    let (from, until) = (date(2024, 1, 11), date(2024, 1, 20));
    let pause = amended(date(2024, 1, 25), Amendment::InterestPaused { from, until });
    let rows = came_to(&lived(&terms, &[lent(600_00), more, pause], first(2)));
    // 9 of 31 days on 600.00 are 1.02, ten earn nothing, and 12 on 900.00 are 2.03.
    assert_eq!(rows[0].1, 3_05);
    assert_eq!(rows.iter().map(|(principal, _)| principal).sum::<i64>(), 900_00);
}

#[test]
fn a_pause_that_ends_before_it_begins_is_refused() {
    let terms = signed(SEVEN, 3, servicing(Ahead::Next));
    let paused = |until| {
        let from = date(2024, 1, 11);
        let by = Amendment::InterestPaused { from, until };
        tried(&terms, &[lent(600_00), amended(from, by)], first(2))
    };
    assert_eq!(
        paused(date(2024, 1, 10)),
        Err(Broken::Inconsistent {
            transaction: 2,
            what: "pauses interest up to a day before the first",
        })
    );
    assert!(paused(date(2024, 1, 11)).is_ok(), "a day is a pause");
}

#[test]
fn all_that_is_overdue_earns_in_every_period() {
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let rows = came_to(&lived(&terms, &[lent(100_00)], first(4)));
    // Nothing was paid: three months on 100.00. April is on what the plan leaves after three rows of 16.43: 50.71.
    let interest: Vec<i64> = rows[..4].iter().map(|(_, interest)| *interest).collect();
    assert_eq!(interest, [58, 58, 58, 30]);
}

#[test]
fn what_is_overdue_goes_on_earning_after_a_part_of_it_was_paid() {
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let events = [lent(100_00), paid(date(2024, 2, 10), 1_00)];
    // Of 1.00 January's interest takes 0.58, and 16.01 of its 16.43 stay overdue. February, by 29 days of 0.58: nine on
    // 100.00 are 0.18, ten on 83.57 + 16.01 are 0.20, and the ten after the 20th on 83.57 are 0.17.
    let rows = came_to(&lived(&terms, &events, date(2024, 2, 20)));
    assert_eq!(rows[1].1, 55);
}

#[test]
fn what_is_overdue_earns_from_period_to_period_whatever_is_paid_between() {
    let mut by_periods = daily(Until::PeriodEnd);
    by_periods.recalculation.as_mut().unwrap().daily = false;
    let terms = signed(SEVEN, 6, by_periods);
    let fen_paid = |month| paid(date(2024, month, 10), 1);
    // A fen of the interest of January changes no principal: each month under way or over earns on 100.00.
    let table = [
        vec![],
        vec![fen_paid(2)],
        vec![fen_paid(3)],
        vec![fen_paid(2), fen_paid(3)],
        vec![fen_paid(2), fen_paid(2)],
    ];
    for payments in table {
        let events = [&[lent(100_00)], payments.as_slice()].concat();
        let rows = came_to(&lived(&terms, &events, date(2024, 4, 20)));
        let interest: Vec<i64> = rows.iter().map(|(_, interest)| *interest).collect();
        // May and June are on what the plan leaves after four rows of 16.43: 34.28, and then 17.47.
        assert_eq!(interest, [58, 58, 58, 58, 20, 10], "{payments:?}");
    }
}

#[test]
fn the_last_instalment_may_be_half_a_fen_a_period_away_from_the_others() {
    let terms = signed(SEVEN, 11, daily(Until::PaymentDay));
    let by = Amendment::RateChanged { annual: percent("5") };
    let on = date(2024, 1, 16);
    let events = [lent(150_00), paid(first(1), 85_02), amended(on, by)];
    let rows = came_to(&lived(&terms, &events, on));
    // Six rows of 14.12 and 0.30 of the seventh are paid, and 64.98 are left. They earn 0.17 and 0.15 in January, at 7 %
    // and at 5 %, and 0.27 in each of six months more: 1.94 with the seventh row. Then 0.22, 0.17, 0.11 and 0.06. In 13.55
    // that leaves 13.58 for the last row; eleven periods, paid or not, let it be five fen away.
    let open = [(11_61, 1_94), (13_33, 22), (13_38, 17), (13_44, 11), (13_52, 6)];
    assert_eq!(rows[6..], open);
}

#[test]
fn two_instalments_are_smoothed_as_more_are() {
    // 100.40 at 12 % over two months is paid in 50.95 a month; lent three times, that is 152.85, and 152.87 is left for the
    // last: a fen more in the first brings them together. 301.20 earns 3.01, and the 151.35 that stay earn 1.51.
    let twelve = Pricing::Annuity {
        annual: percent("12"),
        day_count: DayCount::Thirty360,
    };
    let terms = signed(twelve, 2, servicing(Ahead::Next));
    let life = lived(&terms, &[lent(100_40), lent(100_40), lent(100_40)], first(1));
    assert_eq!(came_to(&life), [(149_85, 3_01), (151_35, 1_51)]);
}

#[test]
fn a_day_that_moves_leaves_shares_without_interest_as_they_are() {
    let terms = signed(Pricing::InterestFree, 3, servicing(Ahead::Next));
    let by = Amendment::Rescheduled {
        from: first(3),
        to: Some(date(2024, 3, 5)),
        extra: 0,
        grace: 0,
        interest_grace: 0,
    };
    // 100.00 in three: the last takes the fen that is left, whenever the second falls due.
    let on = date(2024, 1, 5);
    let life = lived(&terms, &[lent(100_00), amended(on, by)], on);
    assert_eq!(came_to(&life), [(33_33, 0), (33_33, 0), (33_34, 0)]);
    assert_eq!(life.loan.rows[1].due_on, date(2024, 3, 5));
}

#[test]
fn a_refunded_amount_caused_what_would_not_be_owed_without_it() {
    // A month of 1,000.00 at 7 % is 5.83, of 900.00 5.25; fifteen of the 31 days of January are 2.82 and 2.54.
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let told = crate::terms::Life(Vec::new()).then(first(1), lent(1000_00).1);
    let table = [
        (100_00, first(2), 58),
        (100_00, date(2024, 1, 16), 28),
        (1000_00, first(2), 5_83),
        (2000_00, first(2), 5_83),
        (0, first(2), 0),
    ];
    for (refunded, on, caused) in table {
        let found = interest_caused(&terms, &told.0, fen(refunded), on);
        assert_eq!(found, Ok(fen(caused)), "{refunded} on {on}");
    }
}

#[test]
fn a_rate_that_changes_on_the_first_day_holds_from_it() {
    // 100.00 at 12 % over six months is 17.25 a month: 1 % of the balance, and the rest.
    let terms = signed(SEVEN, 6, servicing(Ahead::Next));
    let by = Amendment::RateChanged {
        annual: percent("12"),
    };
    let life = lived(&terms, &[lent(100_00), amended(first(1), by)], first(1));
    let rows = [
        (16_25, 1_00),
        (16_41, 84),
        (16_58, 67),
        (16_74, 51),
        (16_91, 34),
        (17_11, 17),
    ];
    assert_eq!(came_to(&life), rows);
}

#[test]
fn an_instalment_stays_where_only_its_interest_is_put_off() {
    let terms = signed(SEVEN, 6, daily(Until::PaymentDay));
    let by = Amendment::Rescheduled {
        from: first(4),
        to: None,
        extra: 0,
        grace: 0,
        interest_grace: 1,
    };
    let on = date(2024, 1, 15);
    let life = lived(&terms, &[lent(100_00), paid(on, 30_00), amended(on, by)], on);
    // 0.26 had been earned by then; the rest of January is 0.22 on 70.26, and February 0.41. March is put off: 0.39 of it
    // and 0.29 are due in April. Made level anew, the instalments would be lower than 17.01.
    let rows = [
        (16_75, 26),
        (16_38, 63),
        (17_01, 0),
        (16_33, 68),
        (16_81, 20),
        (16_72, 10),
    ];
    assert_eq!(came_to(&life), rows);
    assert_eq!(met(&life), [16_75, 12_99, 0, 0, 0, 0]);
}

#[test]
fn what_pays_everything_takes_interest_as_far_as_the_agreement_says() {
    let table = [
        (Until::PaymentDay, first(1), 100_00),
        (Until::PaymentDay, date(2024, 1, 15), 100_26),
        (Until::PeriodEnd, first(1), 100_00),
        (Until::PeriodEnd, date(2024, 1, 15), 100_58),
        (Until::PeriodEnd, first(2), 100_58),
        // Nine of February's 29 days on 100.00 are 0.18. To its end 83.57 earn 0.49, and what is overdue 0.03 so far.
        (Until::PaymentDay, date(2024, 2, 10), 100_76),
        (Until::PeriodEnd, date(2024, 2, 10), 101_10),
        // Six months on 100.00, and nothing after them.
        (Until::PaymentDay, date(2024, 7, 20), 103_48),
        (Until::PeriodEnd, date(2024, 7, 20), 103_48),
    ];
    let told = crate::terms::Life(Vec::new()).then(first(1), lent(100_00).1);
    for (until, on, asked) in table {
        let mut terms = signed(SEVEN, 6, daily(until));
        terms.conventions.late.daily = Rate::ZERO;
        assert_eq!(quote(&terms, &told.0, on), Ok(fen(asked)), "{until:?} {on}");
    }
}

#[test]
fn what_is_overdue_after_the_last_day_has_earned_in_every_period() {
    // In three rows of 33.72; the last of them may be paid by a courtesy before the others.
    let ahead_alone = Rule {
        credit: Credit::Goodwill,
        buckets: buckets()
            .into_iter()
            .filter(|b| b.timing == Timing::Ahead)
            .collect(),
        ahead: Ahead::Last,
    };
    let mut agreed = daily(Until::PaymentDay);
    agreed.rules.push(ahead_alone);
    let terms = signed(SEVEN, 3, agreed);
    let credited = |amount| {
        let credit = Credit::Goodwill;
        amended(
            first(1),
            Amendment::Credited {
                amount: fen(amount),
                credit,
            },
        )
    };
    let table = [
        (vec![], [(33_14, 58), (33_14, 58), (33_72, 58)], [0, 0, 0]),
        // 80.00 earn 0.47 a month, and the last row asks for what the others leave.
        (
            vec![credited(20_00)],
            [(33_25, 47), (33_25, 47), (33_50, 47)],
            [0, 0, 20_00],
        ),
        // 66.27 earn 0.39 in two months. Of a row that is paid nothing more is asked.
        (
            vec![credited(33_73)],
            [(33_33, 39), (32_95, 39), (33_72, 0)],
            [0, 1, 33_72],
        ),
    ];
    for (happened, rows, paid) in table {
        for on in [first(4), date(2024, 4, 2), date(2024, 5, 20)] {
            let events = [&[lent(100_00)], happened.as_slice()].concat();
            let life = lived(&terms, &events, on);
            assert_eq!(
                (came_to(&life), met(&life)),
                (rows.to_vec(), paid.to_vec()),
                "{on}"
            );
        }
    }
}

#[test]
fn the_last_row_that_is_open_takes_what_is_left_before_another_bucket_is_filled() {
    // In instalments of a multiple of 10.00, five of them leave 16.00 of 66.00 for the sixth.
    let mut agreed = daily(Until::PaymentDay);
    agreed.multiple = fen(10_00);
    agreed.rules[0]
        .buckets
        .sort_by_key(|b| b.component == Component::Fee);
    let terms = signed(SEVEN, 6, agreed);
    let charged = Amendment::Charged {
        amount: fen(5_00),
        component: Component::Fee,
        due_on: date(2024, 6, 15),
    };
    // On the first day nothing has been earned: all that is paid is principal.
    let events = [
        lent(66_00),
        amended(first(1), charged),
        paid(first(1), 50_00),
        paid(first(1), 14_00),
    ];
    let life = lived(&terms, &events, first(1));
    assert_eq!(met(&life), [10_00, 10_00, 10_00, 10_00, 10_00, 14_00]);
    assert_eq!(life.loan.rows[5].fee.paid, fen(0));
}

#[test]
fn a_late_penalty_that_is_paid_changes_no_interest() {
    // 17.01 nine days late cost 0.08 at 0.05 % a day, beside the 0.58 of the row. 0.02 more are paid ahead.
    let terms = signed(SEVEN, 6, servicing(Ahead::Next));
    for agreed in [servicing(Ahead::Next), daily(Until::PaymentDay)] {
        let terms = signed(SEVEN, 6, agreed);
        let on = date(2024, 2, 10);
        let row = lived(&terms, &[lent(100_00), paid(on, 17_09)], on).loan.rows[0];
        assert_eq!((row.penalty.paid, row.interest.paid), (fen(8), fen(58)));
        assert_eq!((row.interest.charged, row.principal.paid), (fen(58), fen(16_43)));
    }
    // Interest as scheduled knows nothing of principal that is waived.
    let amount = fen(10_00);
    let component = Component::Principal;
    let on = date(2024, 1, 15);
    let life = lived(
        &terms,
        &[lent(100_00), (on, Event::Waived { component, amount })],
        on,
    );
    let interest: Vec<i64> = came_to(&life).iter().map(|(_, interest)| *interest).collect();
    assert_eq!(interest, [58, 49, 39, 29, 20, 10]);
}
