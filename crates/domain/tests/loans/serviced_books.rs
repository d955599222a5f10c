//! The ledger against loans whose agreements say more on servicing: whatever happens to one, its books say how it stands.

use fenqi_domain::ledger::{Entry, net, trial_balance};
use fenqi_domain::loan::{Amendment, Broken, Event, Loan, Posting, PostingKind, Transaction, booked};
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::plan::{Component, RefundStrategy, Terms};
use fenqi_domain::servicing::{ChargeOff, Credit};
use jiff::civil::Date;
use proptest::prelude::*;
use proptest::sample::select;

use crate::books::{balance, book};
use crate::serviced::{any_serviced_case, plain_terms};
use crate::terms::*;

/// The loan and its postings; nothing if the transactions contradict the terms, which is an answer and no fault.
fn booked_by(terms: &Terms, told: &[Transaction], as_of: Date) -> Option<(Loan, Vec<Posting>)> {
    match booked(terms, told, as_of) {
        Ok(booked) => Some(booked),
        Err(broken) => {
            assert!(matches!(broken, Broken::Inconsistent { .. }), "{broken:?}");
            None
        }
    }
}

/// What the transactions that stand moved by a day, of those that `of` wants.
fn moved(told: &Life, as_of: Date, of: impl Fn(&Event) -> Option<Amount>) -> Amount {
    let reversed = |t: &Transaction| told.0.iter().any(|r| r.event == Event::Reversed { of: t.number });
    let stand = told.0.iter().filter(|t| t.effective_on <= as_of && !reversed(t));
    Amount::sum(stand.filter_map(|t| of(&t.event))).unwrap()
}

/// What went through the bank: in from the payer, less what went back.
fn through_the_bank(event: &Event) -> Option<Amount> {
    match event {
        Event::Repaid { amount, .. } => Some(*amount),
        Event::PaidOut { amount } => Some(Amount::ZERO.minus(*amount).unwrap()),
        Event::Amended { by } => match by {
            Amendment::FeeTaken { amount }
            | Amendment::Credited {
                amount,
                credit: Credit::Payment | Credit::DownPayment | Credit::PayoutRefund,
            } => Some(*amount),
            Amendment::ChargedBack { amount, .. } | Amendment::HandedBack { amount } => {
                Some(Amount::ZERO.minus(*amount).unwrap())
            }
            _ => None,
        },
        _ => None,
    }
}

/// What a seller gives back.
fn by_the_seller(event: &Event) -> Option<Amount> {
    match event {
        Event::Refunded { amount, .. }
        | Event::Amended {
            by:
                Amendment::Credited {
                    amount,
                    credit: Credit::MerchantRefund,
                },
        } => Some(*amount),
        _ => None,
    }
}

/// What the lender gives beside what it waives.
fn by_the_lender(event: &Event) -> Option<Amount> {
    match event {
        Event::Amended {
            by:
                Amendment::ChargeAdjusted { amount, .. }
                | Amendment::Credited {
                    amount,
                    credit:
                        Credit::Goodwill
                        | Credit::InterestRefund
                        | Credit::InterestWaiver
                        | Credit::ChargeAdjustment,
                },
        } => Some(*amount),
        _ => None,
    }
}

/// The books show what the loan says, and the money that moved.
fn check(entries: &[Entry], loan: &Loan, told: &Life) {
    let trial = trial_balance(entries).unwrap();
    let nothing = Amount::sum(trial.values().copied()).unwrap();
    assert!(nothing.is_zero(), "debits are credits");
    let receivable = loan.receivable().unwrap();
    let of_rows = |of: fn(&fenqi_domain::loan::Figures) -> Amount| {
        Amount::sum(loan.rows.iter().flat_map(figures).map(|f| of(&f))).unwrap()
    };
    let moved = |of: fn(&Event) -> Option<Amount>| moved(told, loan.as_of, of);
    let refunded = moved(by_the_seller);
    let let_go = of_rows(|f| f.waived).plus(moved(by_the_lender)).unwrap();
    for (account, expected) in [
        ("receivable_principal/xiaofu", receivable.principal),
        ("receivable_interest/xiaofu", receivable.interest),
        ("receivable_fee/xiaofu", receivable.fee),
        ("receivable_penalty/xiaofu", receivable.penalty),
        (
            "credit_balances",
            Amount::ZERO.minus(loan.credit_balance).unwrap(),
        ),
        ("payable_seller/orchid", refunded.minus(loan.disbursed).unwrap()),
        ("cash", moved(through_the_bank)),
        ("waived/xiaofu", let_go),
    ] {
        assert_eq!(balance(&trial, account), expected, "{account}");
    }
}

/// What is booked when each day of `steps` looks at what changed since the one before.
fn booked_by_steps(terms: &Terms, told: &Life, steps: &[(usize, Date)]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut before: Vec<Posting> = Vec::new();
    for (known, day) in steps {
        let (_, now) = booked_by(terms, &told.0[..*known], *day)?;
        entries.extend(book().difference(&before, &now));
        before = now;
    }
    Some(entries)
}

/// What the lives for the other properties leave out.
fn any_more(principal: i64) -> impl Strategy<Value = Event> {
    let amount = move || (1..=(principal / 3).max(1)).prop_map(fen);
    let credits = select(vec![
        Credit::InterestRefund,
        Credit::InterestWaiver,
        Credit::ChargeAdjustment,
        Credit::DownPayment,
    ]);
    let amend = |by| Event::Amended { by };
    prop_oneof![
        2 => amount().prop_map(|amount| Event::Refunded {
            amount,
            strategy: RefundStrategy::LastFirst,
            with_paid_fees: false,
        }),
        2 => (amount(), credits).prop_map(move |(amount, credit)| amend(Amendment::Credited { amount, credit })),
        1 => (amount(), select(Component::ALL.to_vec())).prop_map(|(amount, component)| Event::Waived {
            component,
            amount,
        }),
        1 => amount().prop_map(move |amount| amend(Amendment::FeeTaken { amount })),
        1 => (0..30_000_000i64).prop_map(move |ppb| amend(Amendment::Surcharged { share: Rate::from_ppb(ppb) })),
        1 => Just(amend(Amendment::ChargedOff)),
        1 => Just(amend(Amendment::WrittenOff)),
        1 => Just(amend(Amendment::Terminated)),
        1 => (1..20u16).prop_map(|days| Event::Deferred { days }),
        1 => Just(Event::Paused),
    ]
}

/// Any terms with servicing, any life, and a day: all that servicing knows, penalty interest included.
fn any_case() -> impl Strategy<Value = (Terms, Life, Date)> {
    (any_serviced_case(), any::<[bool; 2]>()).prop_flat_map(
        |((mut terms, told, as_of), [is_late, accelerates])| {
            let servicing = terms.conventions.servicing.as_mut().unwrap();
            if accelerates {
                servicing.charge_off = ChargeOff::Accelerate;
            }
            if is_late {
                terms.conventions.late = conventions().late;
            }
            let span = i64::try_from(terms.due_dates.len()).unwrap() * 31 + 40;
            let more = prop::collection::vec((0..span, any_more(terms.principal.minor())), 0..4);
            more.prop_map(move |more| {
                let told = more.into_iter().fold(told.clone(), |told, (day, event)| {
                    told.then(after(signed(), day), event)
                });
                (terms.clone(), told, as_of)
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    // I19: receivables, credit balances, cash and what is owed to sellers are what the folds and the events say.
    #[test]
    fn the_books_equal_the_fold_and_the_money((terms, told, as_of) in any_case()) {
        let Some((loan, postings)) = booked_by(&terms, &told.0, as_of) else { return Ok(()) };
        let entries: Vec<Entry> = postings.iter().map(|p| book().posted(p)).collect();
        check(&entries, &loan, &told);
    }

    #[test]
    fn booking_by_steps_equals_booking_once(
        (terms, told, as_of) in any_case(), cuts in prop::collection::vec(0..400i64, 0..5),
    ) {
        let mut cuts: Vec<Date> = cuts.into_iter().map(|d| after(signed(), d)).filter(|d| *d < as_of).collect();
        cuts.sort_unstable();
        let mut steps: Vec<(usize, Date)> =
            cuts.iter().enumerate().map(|(i, day)| ((i + 1).min(told.0.len()), *day)).collect();
        steps.push((told.0.len(), as_of));
        let Some(stepped) = booked_by_steps(&terms, &told, &steps) else { return Ok(()) };
        let at_once = booked_by_steps(&terms, &told, &[(told.0.len(), as_of)]).unwrap();
        let Some((loan, _)) = booked_by(&terms, &told.0, as_of) else { return Ok(()) };
        check(&stepped, &loan, &told);
        prop_assert_eq!(net(stepped), net(at_once));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn days_run_one_by_one_book_what_a_caught_up_day_books((terms, mut told, as_of) in any_case()) {
        // A due date that moves was never due on its old day: what was booked on it is taken back when that is known.
        told.0.retain(|t| !matches!(
            t.event,
            Event::Deferred { .. } | Event::Amended { by: Amendment::Rescheduled { .. } } | Event::Reversed { .. }
        ));
        let mut day = signed();
        let mut steps = Vec::new();
        while day < as_of {
            steps.push((told.0.len(), day));
            day = after(day, 1);
        }
        steps.push((told.0.len(), as_of));
        let Some(mut daily) = booked_by_steps(&terms, &told, &steps) else { return Ok(()) };
        let mut at_once = booked_by_steps(&terms, &told, &[(told.0.len(), as_of)]).unwrap();
        daily.sort_unstable();
        at_once.sort_unstable();
        prop_assert_eq!(daily, at_once, "without any compensation");
    }
}

/// A fee that is due with the first row.
fn fee_of_five() -> Event {
    let by = Amendment::Charged {
        amount: fen(5_00),
        component: Component::Fee,
        due_on: due(1),
    };
    Event::Amended { by }
}

/// What is charged back of the third transaction.
fn charged_back(amount: Amount) -> Event {
    let by = Amendment::ChargedBack { amount, of: 3 };
    Event::Amended { by }
}

/// 300.00 over three months; a chargeback restores penalties, fees, interest and principal in this order.
fn restoring() -> Terms {
    let mut terms = plain_terms();
    terms.conventions.servicing.as_mut().unwrap().chargeback = Component::ALL.to_vec();
    terms
}

/// Kinds and amounts of what is booked by a day, in order.
fn moves(terms: &Terms, told: &Life, as_of: Date) -> Vec<(PostingKind, i64)> {
    let (_, postings) = booked_by(terms, &told.0, as_of).unwrap();
    let mut moves: Vec<_> = postings.iter().map(|p| (p.kind, p.amount.minor())).collect();
    moves.sort_unstable();
    moves
}

#[test]
fn each_event_of_servicing_is_booked_by_what_it_moves() {
    use PostingKind as K;
    // A fee of 5.00 stands in the first row, which was paid with it. The next row that takes what is charged back is not
    // due yet, so that the fee in it is not charged again until it is.
    let terms = restoring();
    let told = Life::captured(&terms)
        .then(signed(), fee_of_five())
        .paid(due(1), fen(105_00));
    let amend = |by| Event::Amended { by };
    let credited = |credit| {
        let amount = fen(10_00);
        amend(Amendment::Credited { amount, credit })
    };
    let fee = Amendment::FeeTaken { amount: fen(2_00) };
    let back = [
        (K::FeeCancelled, 5_00),
        (K::PrincipalOwedAgain, 2_00),
        (K::FeeOwedAgain, 5_00),
    ];
    type Moves<'a> = &'a [(PostingKind, i64)];
    let adjusted = Amendment::ChargeAdjusted {
        of: 2,
        amount: fen(1_00),
    };
    let table: [(Event, Moves<'_>); 9] = [
        (charged_back(fen(7_00)), &back),
        (
            credited(Credit::Goodwill),
            &[(K::PrincipalRepaid, 10_00), (K::Credited, 10_00)],
        ),
        (
            credited(Credit::MerchantRefund),
            &[(K::PrincipalRepaid, 10_00), (K::RefundReceived, 10_00)],
        ),
        (credited(Credit::PayoutRefund), &[(K::PrincipalRepaid, 10_00)]),
        (
            Event::PaidOut { amount: fen(3_00) },
            &[(K::PrincipalOwedAgain, 3_00)],
        ),
        (
            amend(adjusted),
            &[(K::PrincipalRepaid, 1_00), (K::Credited, 1_00)],
        ),
        (amend(fee), &[(K::FeeCharged, 2_00), (K::FeeRepaid, 2_00)]),
        (amend(Amendment::WrittenOff), &[(K::PrincipalWaived, 200_00)]),
        (amend(Amendment::ChargedOff), &[]),
    ];
    let before = moves(&terms, &told, due(1));
    for (event, expected) in table {
        let now = moves(&terms, &told.clone().then(due(1), event.clone()), due(1));
        let mut both = before.clone();
        both.extend(expected);
        both.sort_unstable();
        assert_eq!(now, both, "{event:?}");
    }
}

#[test]
fn a_waived_charge_and_a_credit_balance_that_is_charged_back_are_booked_as_such() {
    let by = Amendment::ChargeWaived {
        of: 2,
        amount: fen(5_00),
    };
    let terms = restoring();
    let told = Life::captured(&terms)
        .then(signed(), fee_of_five())
        .paid(due(1), fen(310_00))
        .then(signed(), Event::Amended { by })
        .then(due(2), charged_back(fen(4_00)));
    let kinds: Vec<PostingKind> = moves(&terms, &told, due(2)).iter().map(|m| m.0).collect();
    for kind in [
        PostingKind::FeeWaived,
        PostingKind::Overpaid,
        PostingKind::CreditApplied,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
}

#[test]
fn what_is_owed_to_the_payer_is_booked_where_it_goes() {
    // 300.00 and a fee of 5.00 leave 5.00 of 310.00.
    let terms = restoring();
    let told = Life::captured(&terms)
        .then(signed(), fee_of_five())
        .paid(due(1), fen(310_00));
    let amount = fen(5_00);
    let out = told.clone().then(due(1), Event::PaidOut { amount });
    let before = moves(&terms, &told, due(1));
    assert!(before.contains(&(PostingKind::Overpaid, 5_00)), "{before:?}");
    let mut after = before;
    after.push((PostingKind::PaidOut, 5_00));
    after.sort_unstable();
    assert_eq!(moves(&terms, &out, due(1)), after);
}
