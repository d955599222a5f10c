//! What holds for every loan, whatever happens to it.

use fenqi_domain::allocation::{Debt, across};
use fenqi_domain::id::AgreementId;
use fenqi_domain::loan::{Event, Intent, Transaction, fold, postings, preview};
use fenqi_domain::money::Amount;
use fenqi_domain::plan::{RefundStrategy, Terms};
use fenqi_domain::settlement::payoff;
use jiff::civil::Date;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::lives::{any_case, any_strategy, any_terms, moved};
use crate::terms::*;

/// Each figure stands for what it says: nothing is negative, and principal sums to what was lent.
fn check_figures(terms: &Terms, life: &Life, as_of: Date) {
    let loan = life.fold(terms, as_of);
    for row in &loan.rows {
        for f in figures(row) {
            for part in [
                f.charged,
                f.paid,
                f.waived,
                f.cancelled,
                f.open().unwrap(),
                row.subsidy,
            ] {
                assert!(!part.is_negative(), "{row:?}");
            }
        }
    }
    let lent = Amount::sum(loan.rows.iter().map(|r| r.principal.charged)).unwrap();
    assert_eq!(lent, loan.disbursed);
    assert!(loan.days_past_due >= 0 && !loan.penalty_unposted.is_negative());
    if !loan.credit_balance.is_zero() {
        let due = loan.payable().unwrap().total().unwrap();
        assert!(
            due.is_zero() || loan.credit_balance.is_negative(),
            "credit meets what is due"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn no_figure_is_negative_and_parts_sum_to_the_whole((terms, life, as_of) in any_case()) {
        check_figures(&terms, &life, as_of);
    }

    #[test]
    fn money_is_conserved((terms, life, as_of) in any_case()) {
        let loan = life.fold(&terms, as_of);
        let paid_in = moved(&life, as_of, |e| match e {
            Event::Repaid { amount, .. } => Some(*amount),
            _ => None,
        });
        let paid_out = moved(&life, as_of, |e| match e {
            Event::PaidOut { amount } => Some(*amount),
            _ => None,
        });
        let refunded = moved(&life, as_of, |e| match e {
            Event::Refunded { amount, .. } => Some(*amount),
            _ => None,
        });
        let books = postings(&terms, &life.0, as_of).unwrap();
        let of = |kinds: &[&str]| {
            Amount::sum(books.iter().filter(|p| kinds.contains(&p.kind.code())).map(|p| p.amount)).unwrap()
        };
        let repaid = of(&["principal_repaid", "interest_repaid", "fee_repaid", "penalty_repaid", "overpaid"]);
        prop_assert_eq!(repaid, paid_in.plus(of(&["credit_applied"])).unwrap());
        prop_assert_eq!(of(&["principal_refunded", "refunded_to_credit", "waived_recovered"]), refunded);
        prop_assert!(of(&["waived_recovered"]) <= of(&["principal_waived"]));
        prop_assert_eq!(loan.refunded, refunded);
        prop_assert_eq!(of(&["paid_out"]), paid_out);
        let credit = of(&["overpaid", "refunded_to_credit", "interest_returned", "fee_returned"])
            .minus(of(&["credit_applied", "paid_out"])).unwrap();
        prop_assert_eq!(credit, loan.credit_balance);
        // What the job pays out is what is owed to the payer; here it is paid at random, and not asked for first.
        if paid_out.is_zero() {
            prop_assert!(loan.credit_balance <= paid_in, "no more goes back than came in");
        }
    }

    #[test]
    fn the_past_does_not_depend_on_the_day_one_looks((terms, life, as_of) in any_case(), days in 0..120i64) {
        let early = postings(&terms, &life.0, as_of).unwrap();
        let mut late = postings(&terms, &life.0, after(as_of, days)).unwrap();
        late.retain(|p| p.effective_on <= as_of);
        prop_assert_eq!(early, late);
    }

    #[test]
    fn the_order_of_entry_does_not_matter((terms, life, as_of) in any_case(), seed in any::<u64>()) {
        let mut shuffled = life.0.clone();
        let n = shuffled.len().max(1);
        for (i, step) in (0..n).zip((0u64..).map(|k| seed.rotate_left(u32::try_from(k * 7 % 64).unwrap()))) {
            let other = usize::try_from(step % u64::try_from(n).unwrap()).unwrap();
            shuffled.swap(i, other);
        }
        prop_assert_eq!(fold(&terms, &shuffled, as_of).unwrap(), life.fold(&terms, as_of));
    }

    #[test]
    fn what_comes_later_does_not_change_what_stood((terms, life, as_of) in any_case()) {
        let mut early = life.clone();
        early.0.retain(|t| t.effective_on <= as_of || matches!(t.event, Event::Reversed { .. }));
        // A reversal counts from the start, whenever it comes; one of what is not there yet reverses nothing, and in
        // their order of entry each is about one before it.
        early.0.sort_by_key(|t| t.number);
        let mut numbers: Vec<u32> = Vec::new();
        early.0.retain(|t| {
            let stays = !matches!(t.event, Event::Reversed { of } if !numbers.contains(&of));
            numbers.extend(stays.then_some(t.number));
            stays
        });
        // So does an outage that is entered later.
        let is_excused = |t: &&Transaction| matches!(t.event, Event::Excused { .. });
        if life.0.iter().filter(is_excused).any(|t| t.effective_on > as_of) {
            return Ok(());
        }
        prop_assert_eq!(early.fold(&terms, as_of), life.fold(&terms, as_of));
    }

    #[test]
    fn a_day_on_which_nothing_happens_changes_nothing((terms, life, as_of) in any_case(), day in 0..500i64) {
        let nothing = Event::Excused { from: after(signed(), 1), until: signed() };
        let looked = life.clone().then(after(signed(), day), nothing);
        prop_assert_eq!(looked.fold(&terms, as_of).rows, life.fold(&terms, as_of).rows);
    }

    #[test]
    fn a_payment_and_its_reversal_leave_everything_as_it_was(
        (terms, life, as_of) in any_case(), on in 0..300i64, back in 0..60i64, amount in 1..400_000i64,
        settle in any::<bool>(),
    ) {
        let intent = if settle { Intent::Settle } else { Intent::Due };
        let on = after(signed(), on);
        let event = Event::Repaid { amount: fen(amount), intent };
        let paid = life.clone().then(on, event);
        let of = u32::try_from(paid.0.len()).unwrap();
        let bounced = paid.then(after(on, back), Event::Reversed { of });
        prop_assert_eq!(bounced.fold(&terms, as_of), life.fold(&terms, as_of));
        prop_assert_eq!(
            postings(&terms, &bounced.0, as_of).unwrap(),
            postings(&terms, &life.0, as_of).unwrap()
        );
        let again = bounced.then(on, Event::Reversed { of: of + 1 });
        let stands = life.then(on, Event::Repaid { amount: fen(amount), intent });
        prop_assert_eq!(again.fold(&terms, as_of), stands.fold(&terms, as_of));
    }

    #[test]
    fn who_pays_the_payoff_owes_nothing((terms, life, as_of) in any_case()) {
        let mut life = life;
        life.0.retain(|t| t.effective_on <= as_of && !matches!(t.event, Event::Reversed { .. }));
        prop_assume!(life.fold(&terms, as_of).disbursed == terms.principal);
        let payoff = payoff(&terms, &life.0, as_of).unwrap();
        prop_assert_eq!(payoff.parts.total().unwrap(), payoff.total.plus(payoff.credit).unwrap()
            .plus(life.fold(&terms, as_of).credit_balance.min(Amount::ZERO)).unwrap());
        let number = life.0.iter().map(|t| t.number).max().unwrap() + 1;
        if payoff.total.is_positive() {
            let event = Event::Repaid { amount: payoff.total, intent: Intent::Settle };
            life.0.push(fenqi_domain::loan::Transaction { number, effective_on: as_of, event });
        }
        let loan = life.fold(&terms, as_of);
        prop_assert_eq!(loan.outstanding().unwrap().total().unwrap(), if payoff.total.is_positive() {
            Amount::ZERO
        } else {
            loan.outstanding().unwrap().total().unwrap()
        });
        if payoff.total.is_positive() {
            prop_assert!(loan.is_settled().unwrap());
            prop_assert!(loan.credit_balance.is_zero());
            let later = life.fold(&terms, after(as_of, 500));
            prop_assert_eq!(later.outstanding().unwrap().total().unwrap(), Amount::ZERO, "and stays so");
            prop_assert_eq!(later.settled_on().unwrap(), loan.settled_on().unwrap());
        }
    }

    #[test]
    fn the_settlement_figure_is_never_more_than_paying_to_the_end_and_a_flat_fee((terms, life, as_of) in any_case()) {
        let mut life = life;
        life.0.retain(|t| !matches!(t.event, Event::Reversed { .. }));
        let loan = life.fold(&terms, as_of);
        let payoff = payoff(&terms, &life.0, as_of).unwrap();
        let to_the_end = loan.outstanding().unwrap().total().unwrap().plus(fen(777)).unwrap();
        prop_assert!(payoff.parts.total().unwrap() <= to_the_end, "{:?} {}", payoff, to_the_end.minor());
        prop_assert!(payoff.parts.principal == loan.outstanding().unwrap().principal);
    }

    #[test]
    fn two_refunds_equal_one_of_both(
        terms in any_terms(), day in 0..400i64, a in 1..100_000i64, b in 1..100_000i64, fees in any::<bool>(),
        paid in 0..200_000i64,
    ) {
        let whole = terms.principal.minor();
        let (a, b) = (a % whole + 1, b % whole + 1);
        if a + b > whole {
            return Ok(());
        }
        let on = after(signed(), day);
        let refund = |amount| Event::Refunded {
            amount: fen(amount), strategy: RefundStrategy::LastFirst, with_paid_fees: fees,
        };
        let mut life = Life::captured(&terms);
        if paid > 0 {
            life = life.paid(after(signed(), day / 2), fen(paid));
        }
        let one = life.clone().then(on, refund(a + b)).fold(&terms, on);
        let two = life.then(on, refund(a)).then(on, refund(b)).fold(&terms, on);
        let left = |loan: &fenqi_domain::loan::Loan| {
            loan.outstanding().unwrap().total().unwrap().minus(loan.credit_balance).unwrap()
        };
        prop_assert_eq!(left(&one), left(&two));
        // Fees that went back with the first part may have paid what the second would have cancelled.
        prop_assert!(fees || one == two);
    }

    #[test]
    fn what_is_payable_is_what_it_takes((terms, life, as_of) in any_case()) {
        let mut life = life;
        life.0.retain(|t| t.effective_on <= as_of && !matches!(t.event, Event::Reversed { .. }));
        let loan = life.fold(&terms, as_of);
        let short = Amount::ZERO.minus(loan.credit_balance).unwrap().max(Amount::ZERO);
        let payable = loan.payable().unwrap().total().unwrap().plus(short).unwrap();
        if payable.is_zero() {
            return Ok(());
        }
        let number = life.0.iter().map(|t| t.number).max().unwrap() + 1;
        let event = Event::Repaid { amount: payable, intent: Intent::Due };
        life.0.push(fenqi_domain::loan::Transaction { number, effective_on: as_of, event });
        let after = life.fold(&terms, as_of);
        prop_assert!(after.payable().unwrap().total().unwrap().is_zero());
        prop_assert!(after.credit_balance.is_zero());
        prop_assert_eq!(after.days_past_due, 0);
    }

    #[test]
    fn a_preview_shows_what_then_happens(
        (terms, life, as_of) in any_case(), amount in 1..300_000i64, strategy in any_strategy(), pick in any::<Index>(),
    ) {
        let mut life = life;
        life.0.retain(|t| t.effective_on <= as_of && !matches!(t.event, Event::Reversed { .. }));
        let left = terms.principal.minus(life.fold(&terms, as_of).refunded).unwrap();
        let repaid = Event::Repaid { amount: fen(amount), intent: Intent::Due };
        let refund = Event::Refunded { amount: fen(amount).min(left), strategy, with_paid_fees: true };
        let event = [repaid, refund][pick.index(2)].clone();
        prop_assume!(event.amount().unwrap().is_positive());
        prop_assume!(life.fold(&terms, as_of).disbursed == terms.principal);
        let shown = preview(&terms, &life.0, event.clone(), as_of).unwrap();
        let number = life.0.iter().map(|t| t.number).max().unwrap() + 1;
        prop_assert_eq!(&shown.before, &life.fold(&terms, as_of));
        life.0.push(fenqi_domain::loan::Transaction { number, effective_on: as_of, event });
        prop_assert_eq!(&shown.after, &life.fold(&terms, as_of));
    }

    #[test]
    fn a_loan_paid_on_time_costs_what_was_agreed(terms in any_terms()) {
        let schedule = terms.schedule(terms.principal).unwrap();
        let mut life = Life::captured(&terms);
        for row in &schedule {
            let amount = Amount::sum([row.principal, row.interest, row.fee]).unwrap();
            if amount.is_positive() {
                life = life.paid(row.due_on, amount);
            }
        }
        let loan = life.fold(&terms, crate::lives::end(&terms));
        prop_assert!(loan.is_settled().unwrap());
        prop_assert!(loan.credit_balance.is_zero());
        for (row, agreed) in loan.rows.iter().zip(&schedule) {
            prop_assert_eq!(row.principal.paid, agreed.principal);
            prop_assert_eq!(row.interest.paid, agreed.interest);
            prop_assert_eq!(row.fee.paid, agreed.fee);
            prop_assert_eq!(row.subsidy, agreed.subsidy);
            prop_assert_eq!(row.penalty.charged, Amount::ZERO);
        }
    }

    #[test]
    fn paying_ahead_never_costs_more(terms in any_terms(), day in 0..300i64, amount in 1..300_000i64) {
        let life = Life::captured(&terms);
        let on = after(signed(), day);
        let shown = preview(&terms, &life.0, Event::Repaid { amount: fen(amount), intent: Intent::Due }, on).unwrap();
        for component in fenqi_domain::plan::Component::ALL {
            prop_assert!(!shown.cancelled.of(component).is_negative(), "{:?}", shown.cancelled);
        }
        prop_assert_eq!(shown.paid.total().unwrap().plus(shown.credit).unwrap(), fen(amount));
    }

    // R52: the cap is tested at settlement, with what was really paid and when.
    #[test]
    fn a_settlement_charge_never_lifts_the_cost_over_the_cap(
        terms in any_terms(), on in 1..420i64, payments in prop::collection::vec((1..400i64, 1..40_000i64), 0..5),
    ) {
        let on = after(signed(), on);
        let life = payments.into_iter().fold(Life::captured(&terms), |life, (day, amount)| {
            life.paid(after(signed(), day), fen(amount))
        });
        let mut life = life;
        life.0.retain(|t| t.effective_on <= on);
        let due = life.fold(&terms, on).payable().unwrap();
        let quoted = payoff(&terms, &life.0, on).unwrap();
        let charged = quoted.parts.interest.plus(quoted.parts.fee).unwrap()
            .minus(due.interest).unwrap().minus(due.fee).unwrap();
        prop_assert!(!charged.is_negative() && !quoted.lowered.is_negative());
        if charged.is_positive() && quoted.credit.is_zero() {
            prop_assert!(quoted.annual <= terms.conventions.late.annual_cap, "{:?}", quoted);
        }
    }

    #[test]
    fn shares_of_a_payment_sum_to_it(
        debts in prop::collection::vec((0..40i64, 0..5_000i64, 0..9_000i64), 0..6),
        chosen in prop::collection::vec(0..6u128, 0..4),
        amount in 0..40_000i64,
    ) {
        let debts: Vec<Debt> = (0u128..).zip(&debts).map(|(id, (day, due, more))| Debt {
            agreement: AgreementId::from_bits(id),
            due_on: after(signed(), *day),
            due: fen(*due),
            most: fen(due + more),
        }).collect();
        let mut ids: Vec<AgreementId> = chosen.into_iter().map(AgreementId::from_bits).collect();
        ids.dedup();
        ids.sort_unstable();
        ids.dedup();
        let (shares, left) = across(&debts, &ids, fen(amount)).unwrap();
        let placed = Amount::sum(shares.iter().map(|s| s.amount)).unwrap();
        prop_assert_eq!(placed.plus(left).unwrap(), fen(amount));
        for share in &shares {
            let debt = debts.iter().find(|d| d.agreement == share.agreement).unwrap();
            prop_assert!(share.amount.is_positive());
            let most = if ids.is_empty() { debt.due } else { debt.most };
            prop_assert!(share.amount <= most);
        }
        let room: i64 = debts.iter()
            .filter(|d| ids.is_empty() || ids.contains(&d.agreement))
            .map(|d| if ids.is_empty() { d.due } else { d.most }.minor()).sum();
        prop_assert_eq!(left, fen((amount - room).max(0)), "nothing is left that could be placed");
    }
}
