//! Lateness, prepayment and allocation, one case a row.

use fenqi_domain::allocation::{self, Debt, Share, across};
use fenqi_domain::calendar::DayCount;
use fenqi_domain::id::AgreementId;
use fenqi_domain::loan::{Broken, Event, Intent, PostingKind, fold, postings};
use fenqi_domain::money::Amount;
use fenqi_domain::plan::{Component, LatePolicy, Prepayment, Settlement, Terms};
use fenqi_domain::settlement::payoff;

use crate::terms::*;

/// The phone with a rule for lateness.
fn phone_with(late: LatePolicy) -> Terms {
    let mut terms = phone();
    terms.conventions.late = late;
    terms
}

/// Three days of grace, 5 yuan once, 0.05 % a day, a cap that does not bind.
fn strict() -> LatePolicy {
    LatePolicy {
        grace_days: 3,
        fee: yuan(5),
        daily: percent("0.05"),
        from_due_date: true,
        annual_cap: percent("100"),
    }
}

/// The penalty of the first instalment so many days after its due date.
fn penalty(terms: &Terms, life: &Life, days: i64) -> i64 {
    let loan = life.fold(terms, after(due(1), days));
    loan.rows[0].penalty.charged.minor()
}

// R39: nothing within three days of grace, 5.21 on the fourth day.
#[test]
fn grace_forgives_everything_and_then_nothing() {
    let terms = phone_with(strict());
    let life = Life::captured(&terms);
    // 107.20 × 0.05 % × 4 = 0.2144, and the fee of 5 yuan once.
    for (days, charged, past_due) in [(3, 0, 0), (4, 521, 4), (5, 527, 5)] {
        assert_eq!(penalty(&terms, &life, days), charged, "{days} days");
        assert_eq!(life.fold(&terms, after(due(1), days)).days_past_due, past_due);
    }
    let from_grace = phone_with(LatePolicy {
        from_due_date: false,
        ..strict()
    });
    assert_eq!(penalty(&from_grace, &life, 4), 505);
    let paid = life.paid(after(due(1), 3), fen(107_20));
    assert_eq!(
        penalty(&terms, &paid, 30),
        0,
        "who pays within grace pays no more"
    );
}

#[test]
fn days_of_grace_count_on_what_was_open_then() {
    let terms = phone_with(strict());
    let life = Life::captured(&terms).paid(after(due(1), 2), fen(57_20));
    // Two days on 107.20 and two on 50.00: 0.1072 + 0.05.
    assert_eq!(penalty(&terms, &life, 4), 516);
}

// R29, R36: days on which our side or the channel was down do not count, and due dates stay.
#[test]
fn excused_and_paused_days_do_not_count() {
    let terms = phone();
    let excused = Life::captured(&terms).then(
        after(due(1), 30),
        Event::Excused {
            from: after(due(1), 1),
            until: after(due(1), 4),
        },
    );
    assert_eq!(penalty(&terms, &excused, 4), 0);
    assert_eq!(penalty(&terms, &excused, 14), 54, "10 of 14 days");
    assert_eq!(excused.fold(&terms, after(due(1), 14)).days_past_due, 10);
    let over = [(3, 6), (2, 3)].into_iter().fold(excused, |life, (from, until)| {
        let (from, until) = (after(due(1), from), after(due(1), until));
        life.then(after(due(1), 30), Event::Excused { from, until })
    });
    assert_eq!(
        penalty(&terms, &over, 14),
        43,
        "days that are excused twice are excused once"
    );
    let paused = Life::captured(&terms)
        .then(after(due(1), 2), Event::Paused)
        .then(after(due(1), 22), Event::Resumed);
    assert_eq!(penalty(&terms, &paused, 22), 11, "two days");
    let still = paused.fold(&terms, after(due(1), 21));
    assert!(still.is_paused);
    assert_eq!(still.penalty_posts_on, None, "nothing is posted before it ends");
    assert_eq!(penalty(&terms, &paused, 30), 54, "and eight more");
    let both = paused
        .then(after(due(1), 3), Event::Paused)
        .then(after(due(1), 24), Event::Resumed);
    assert_eq!(penalty(&terms, &both, 30), 43, "two pauses need two resumptions");
}

#[test]
fn days_between_two_outages_count_and_the_first_late_day_is_the_one_after_grace() {
    let terms = phone_with(strict());
    let excused = |spans: &[(i64, i64)]| {
        spans.iter().fold(Life::captured(&terms), |life, (from, until)| {
            let (from, until) = (after(due(1), *from), after(due(1), *until));
            life.then(after(due(1), 20), Event::Excused { from, until })
        })
    };
    // Spans of days after the due date, and the fourth day that counts: on it the fee and the days so far are charged.
    let table = [
        (vec![], 4),
        (vec![(2, 3)], 6),
        (vec![(1, 1), (4, 5)], 7),
        (vec![(4, 4)], 5),
        (vec![(5, 9)], 4),
        (vec![(-3, 1)], 5),
        (vec![(-5, 0)], 4),
        (vec![(1, 2), (6, 8)], 9),
    ];
    for (spans, day) in table {
        let told = postings(&terms, &excused(&spans).0, after(due(1), 19)).unwrap();
        let late = told
            .iter()
            .find(|p| p.kind == PostingKind::PenaltyCharged)
            .unwrap();
        assert_eq!(
            (late.effective_on, late.amount),
            (after(due(1), day), fen(5_21)),
            "{spans:?}"
        );
    }
    // Ten of fourteen days, though the first and the last that are excused are eight days apart.
    assert_eq!(penalty(&phone(), &excused(&[(1, 2), (7, 8)]), 14), 54);
}

// H9: what is not due moves by ten days, what was due stays.
#[test]
fn an_instalment_that_is_moved_is_not_late_and_one_that_was_due_stays_so() {
    let terms = phone();
    let life = Life::captured(&terms).then(after(due(1), 1), Event::Deferred { days: 10 });
    let loan = life.fold(&terms, due(2));
    assert_eq!(loan.rows[0].due_on, due(1));
    assert_eq!(loan.rows[1].due_on, after(due(2), 10));
    assert_eq!(loan.payable().unwrap().principal, yuan(100));
    assert_eq!(
        loan.next_due().unwrap().unwrap().number,
        1,
        "what is overdue is paid next"
    );
}

#[test]
fn penalties_are_never_charged_on_penalties() {
    let terms = phone_with(LatePolicy {
        grace_days: 0,
        ..strict()
    });
    let life = Life::captured(&terms);
    // 107.20 × 0.05 % × 365 = 19.564: simple, however often it was posted on the way.
    let year = after(due(1), 365);
    assert_eq!(life.fold(&terms, year).rows[0].penalty.charged, fen(5_00 + 19_56));
    let months = postings(&terms, &life.0, year).unwrap();
    let posted: Vec<_> = months
        .iter()
        .filter(|p| p.kind == PostingKind::PenaltyCharged)
        .collect();
    assert!(
        posted.len() > 24,
        "on the day grace ended, each due date and each first of a month"
    );
}

// R39: all costs together stay under the agreed annual cap.
#[test]
fn a_late_fee_is_cut_to_what_the_cap_leaves() {
    let terms = phone_with(LatePolicy {
        grace_days: 0,
        fee: yuan(50),
        annual_cap: percent("24"),
        ..strict()
    });
    let life = Life::captured(&terms);
    // 1,200 for 32 days at 24 % are 25.249; 7.20 of it is the instalment's fee.
    assert_eq!(penalty(&terms, &life, 1), 18_04);
    assert_eq!(penalty(&terms, &life, 2), 18_83, "another day of 1,200");
    let paid = life.paid(after(due(1), 2), fen(107_20 + 18_83));
    let loan = paid.fold(&terms, due(2));
    assert_eq!(loan.rows[0].penalty.charged, fen(18_83), "the rest falls away");
    assert_eq!(loan.rows[0].cleared_on, Some(after(due(1), 2)));
}

// 民法典 561: penalty, fee, interest, principal; the oldest first.
#[test]
fn each_waterfall_pays_in_its_order() {
    let all = Component::ALL.to_vec();
    let first = [
        Component::Principal,
        Component::Interest,
        Component::Fee,
        Component::Penalty,
    ]
    .to_vec();
    // Two instalments of 107.20 are due, with penalties of 1.66 and 0.16, and 120.00 come in.
    let table = [
        (all.clone(), true, [[0, 0, 0, 0], [96_22, 0, 0, 0]]),
        (all, false, [[0, 0, 0, 0], [96_22, 0, 0, 0]]),
        (first.clone(), true, [[0, 0, 0, 0], [88_86, 0, 7_20, 16]]),
        (first, false, [[0, 0, 7_20, 1_66], [80_00, 0, 7_20, 16]]),
    ];
    let on = after(due(2), 3);
    for (order, row_by_row, rest) in table {
        let mut terms = phone();
        terms.conventions.waterfall.order = order;
        terms.conventions.waterfall.row_by_row = row_by_row;
        let life = Life::captured(&terms);
        let before = open(&life.fold(&terms, on));
        assert_eq!(before[..2], [[100_00, 0, 7_20, 1_66], [100_00, 0, 7_20, 16]]);
        let after = open(&life.paid(on, yuan(120)).fold(&terms, on));
        assert_eq!(after[..2], rest, "{:?}", terms.conventions.waterfall);
    }
}

// H4: the two ways of paying a part early.
#[test]
fn each_prepayment_rule_changes_what_it_says() {
    let table = [
        (
            Prepayment::ShorterTerm,
            [[100_00, 0, 7_20, 0], [100_00, 0, 7_20, 0], [0; 4]],
            7_20 * 3,
        ),
        (
            Prepayment::LowerInstalment,
            [[66_66, 0, 4_80, 0], [66_66, 0, 4_80, 0], [66_67, 0, 4_80, 0]],
            7_20 * 3,
        ),
        (Prepayment::NextFirst, [[0; 4], [0; 4], [100_00, 0, 7_20, 0]], 0),
    ];
    for (rule, [fourth, fifth, last], saved) in table {
        let mut terms = phone();
        terms.conventions.prepayment = rule;
        let life = Life::captured(&terms).paid_instalments(fen(107_20), 3);
        let on = after(due(3), 5);
        let shown = allocation::preview(&terms, &life.0, yuan(300), Intent::Due, on).unwrap();
        let rows = open(&shown.after);
        assert_eq!(rows[3], fourth, "{rule:?}");
        assert_eq!(rows[4], fifth, "{rule:?}");
        assert_eq!(rows[11], last, "{rule:?}");
        assert_eq!(shown.cancelled.fee, fen(saved), "{rule:?}");
        assert_eq!(shown.credit, Amount::ZERO);
    }
}

#[test]
fn the_kept_share_of_the_fee_is_paid_with_what_is_paid_early() {
    let mut terms = phone();
    terms.conventions.settlement = Settlement::RemainingFee { share: percent("50") };
    let life = Life::captured(&terms).paid(after(signed(), 1), fen(103_60));
    let loan = life.fold(&terms, after(signed(), 1));
    let last = loan.rows[11];
    assert_eq!(last.open().unwrap().total().unwrap(), Amount::ZERO);
    assert_eq!((last.fee.paid, last.fee.cancelled), (fen(3_60), fen(3_60)));
}

#[test]
fn interest_after_a_prepayment_is_reckoned_on_what_is_left() {
    let mut terms = terms(annuity("12", DayCount::Actual365), yuan(12_000), 12);
    terms.conventions.prepayment = Prepayment::ShorterTerm;
    let life = Life::captured(&terms);
    let agreed = life.fold(&terms, signed());
    // 5 January to 5 February: 31 days. On the 10th, 6,000 come in.
    let life = life.paid(after(signed(), 5), yuan(6_000));
    let loan = life.fold(&terms, after(signed(), 5));
    assert_eq!(loan.outstanding().unwrap().principal, yuan(6_000));
    // 12,000 × 12 % × 5/365 = 19.73 and 6,000 × 12 % × 26/365 = 51.29.
    assert_eq!(loan.rows[0].interest.open().unwrap(), fen(19_73 + 51_29));
    assert_eq!(
        agreed.rows[0].interest.open().unwrap(),
        fen(122_30),
        "12,000 × 12 % × 31/365"
    );
    assert_eq!(
        loan.rows[0].principal, agreed.rows[0].principal,
        "the next dates stay as they are"
    );
    assert!(loan.rows[11].cleared_on.is_some(), "the last ones go");
}

// R52: interest to the day and no more.
#[test]
fn settling_a_loan_with_interest_costs_interest_to_the_day() {
    let terms = terms(annuity("12", DayCount::Actual365), yuan(12_000), 12);
    let life = Life::captured(&terms);
    let on = after(signed(), 10);
    let quoted = payoff(&terms, &life.0, on).unwrap();
    assert_eq!(quoted.parts.interest, fen(39_45), "12,000 × 12 % × 10/365");
    assert_eq!(quoted.total, fen(12_039_45));
    let loan = life.settled(on, quoted.total).fold(&terms, on);
    assert!(loan.is_settled().unwrap());
    assert_eq!(loan.settled_on().unwrap(), Some(on));
}

#[test]
fn a_settlement_that_is_too_small_is_taken_as_a_payment() {
    let terms = phone();
    let life = Life::captured(&terms)
        .paid_instalments(fen(107_20), 3)
        .settled(due(3), fen(899_99));
    let loan = life.fold(&terms, due(3));
    assert_eq!(loan.outstanding().unwrap().principal, fen(1));
    assert!(!loan.is_settled().unwrap());
    let more = life.settled(due(3), yuan(10)).fold(&terms, due(3));
    assert!(more.is_settled().unwrap());
    assert_eq!(more.credit_balance, fen(9_99));
}

// R53: a surplus that was paid out is owed again when its payment bounces.
#[test]
fn a_payment_that_bounced_after_its_surplus_was_paid_out_is_owed_again() {
    let terms = phone();
    let life = Life::captured(&terms)
        .settled(due(1), fen(1_300_00))
        .then(due(2), Event::PaidOut { amount: fen(92_80) });
    assert!(life.fold(&terms, due(2)).credit_balance.is_zero());
    let life = life.then(due(3), Event::Reversed { of: 2 });
    let loan = life.fold(&terms, due(3));
    assert_eq!(loan.credit_balance, fen(-92_80));
    assert!(!loan.is_settled().unwrap());
    let quoted = payoff(&terms, &life.0, due(3)).unwrap();
    let loan = life.settled(due(3), quoted.total).fold(&terms, due(3));
    assert!(loan.is_settled().unwrap());
    assert!(loan.credit_balance.is_zero());
}

// H18: goods that ship later are lent later, on the same due dates.
#[test]
fn two_captures_add_their_schedules_and_keep_the_dates() {
    let terms = phone();
    let life = Life::default()
        .then(signed(), Event::Disbursed { amount: yuan(900) })
        .then(after(signed(), 6), Event::Disbursed { amount: yuan(300) });
    let whole = Life::captured(&terms).fold(&terms, due(1));
    assert_eq!(life.fold(&terms, due(1)).rows, whole.rows);
    let late = Life::default()
        .then(signed(), Event::Disbursed { amount: yuan(900) })
        .then(due(1), Event::Disbursed { amount: yuan(110) });
    let rows = open(&late.fold(&terms, due(1)));
    assert_eq!(rows[0], [75_00, 0, 5_40, 0], "what is due stays");
    assert_eq!(
        rows[1],
        [75_00 + 10_00, 0, 5_40 + 72, 0],
        "11 are left for the second"
    );
}

#[test]
fn what_contradicts_itself_is_told_with_its_number() {
    let terms = phone();
    let life = Life::captured(&terms);
    let more = Event::Disbursed { amount: fen(1) };
    let back = Event::Refunded {
        amount: fen(1200_01),
        strategy: terms.conventions.refund,
        with_paid_fees: false,
    };
    let nothing = Event::PaidOut { amount: Amount::ZERO };
    let itself = Event::Reversed { of: 2 };
    for event in [more, back, nothing, itself] {
        let life = life.clone().then(due(1), event);
        assert!(
            matches!(
                fold(&terms, &life.0, due(2)),
                Err(Broken::Inconsistent { transaction: 2, .. })
            ),
            "{life:?}"
        );
    }
}

// R34: the payer chooses what a payment is for (民法典 560).
#[test]
fn a_payment_for_several_agreements_goes_where_the_payer_says() {
    let ids: Vec<AgreementId> = (1..=3).map(AgreementId::from_bits).collect();
    let debt = |place: usize, day: i64, amount: i64, most: i64| Debt {
        agreement: ids[place],
        due_on: after(due(1), day),
        due: fen(amount),
        most: fen(most),
    };
    let debts = [debt(0, 5, 100, 500), debt(1, 0, 30, 60), debt(2, 0, 60, 600)];
    let told = |chosen: &[AgreementId], amount: i64| {
        let (shares, left) = across(&debts, chosen, fen(amount)).unwrap();
        let shares: Vec<(u128, i64)> = shares
            .iter()
            .map(|Share { agreement, amount }| (agreement.bits(), amount.minor()))
            .collect();
        (shares, left.minor())
    };
    assert_eq!(
        told(&[], 45),
        (vec![(2, 15), (3, 30)], 0),
        "of one day in proportion"
    );
    assert_eq!(told(&[], 100), (vec![(2, 30), (3, 60), (1, 10)], 0));
    assert_eq!(told(&[], 200), (vec![(2, 30), (3, 60), (1, 100)], 10));
    assert_eq!(
        told(&[ids[0]], 120),
        (vec![(1, 120)], 0),
        "more than is due is a prepayment"
    );
    assert_eq!(told(&[ids[0], ids[1]], 140), (vec![(1, 110), (2, 30)], 0));
    assert_eq!(told(&[ids[1]], 70), (vec![(2, 60)], 10));
    assert_eq!(
        told(&[ids[1], ids[0], ids[1]], 70),
        (vec![(2, 30), (1, 40)], 0),
        "named twice it owes what it owes once"
    );
    assert_eq!(told(&[ids[1], ids[1]], 70), (vec![(2, 60)], 10));
}

// I4: money that was taken although it was paid by hand meanwhile is owed to the payer, and prepays nothing
#[test]
fn a_debit_pays_what_is_due_and_never_ahead() {
    let terms = phone();
    let debit = |amount| Event::Repaid {
        amount,
        intent: Intent::Keep,
    };
    let life = Life::captured(&terms)
        .paid(due(1), fen(107_20))
        .then(due(1), debit(fen(107_20)));
    let loan = life.fold(&terms, due(1));
    assert_eq!(loan.credit_balance, fen(107_20));
    let without = Life::captured(&terms)
        .paid(due(1), fen(107_20))
        .fold(&terms, due(1));
    assert_eq!(loan.rows, without.rows, "no instalment to come is touched");
    let late = Life::captured(&terms).then(after(due(1), 10), debit(fen(200_00)));
    let loan = late.fold(&terms, after(due(1), 10));
    assert!(
        loan.payable().unwrap().total().unwrap().is_zero(),
        "what is due is paid"
    );
    assert_eq!(loan.credit_balance, fen(200_00 - 107_20 - 54), "with its penalty");
}

#[test]
fn what_is_due_today_is_not_overdue() {
    let terms = phone();
    let life = Life::captured(&terms);
    for (day, overdue) in [(0, 0), (1, 107_20)] {
        let loan = life.fold(&terms, after(due(1), day));
        assert_eq!(loan.payable().unwrap().principal, yuan(100));
        let all = loan.overdue().unwrap();
        let all = all.principal.plus(all.fee).unwrap();
        assert_eq!(all, fen(overdue), "{day}");
    }
}

#[test]
fn what_is_lent_before_anything_was_due_earns_from_the_signing_and_later_from_its_day() {
    let terms = terms(annuity("12", DayCount::Actual365), yuan(1200), 3);
    let lent = |on| {
        let amount = yuan(1200);
        Life::default()
            .then(on, Event::Disbursed { amount })
            .fold(&terms, on)
    };
    // 1,200.00 at 12 % for the 31 days from 5 January are 12.23, and for the 18 from 15 February to 5 March 7.10.
    assert_eq!(lent(after(signed(), 10)).rows[0].interest.charged, fen(1223));
    assert_eq!(lent(after(due(1), 10)).rows[1].interest.charged, fen(7_10));
}
