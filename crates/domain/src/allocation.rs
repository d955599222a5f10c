//! Allocation (冲账): what a payment is for.
//!
//! Within an agreement the signed waterfall decides (民法典 561: costs, then interest, then principal, the oldest
//! instalment first), and what is over follows the prepayment rule. Across agreements the payer chooses (民法典 560).

use alloc::vec::Vec;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::id::AgreementId;
use crate::loan::state::{Standing, State};
use crate::loan::{Broken, Event, Intent, Parts, PostingKind, Preview, Transaction, preview as any_preview};
use crate::money::{Amount, OutOfRange, Rounding};
use crate::plan::{Component, Prepayment, Settlement, Terms, Waterfall};
use crate::servicing::{Ahead, Bucket, Credit, Rule, Servicing, Timing, Until};

/// What a payment would do (还款试算): shown to the payer before they confirm it.
///
/// # Errors
/// [`Broken`] as the fold.
pub fn preview(
    terms: &Terms,
    transactions: &[Transaction],
    amount: Amount,
    intent: Intent,
    on: Date,
) -> Result<Preview, Broken> {
    any_preview(terms, transactions, Event::Repaid { amount, intent }, on)
}

/// Takes in money: what is due first, then the next instalment if a bill was issued for it, then the prepayment rule, and
/// what is over is owed to the payer.
pub(crate) fn receive(state: &mut State<'_>, amount: Amount, is_billed: bool) -> Result<(), OutOfRange> {
    let short = short(state, amount)?;
    if let Some(servicing) = state.terms.conventions.servicing.as_deref() {
        return credit(state, servicing, Credit::Payment, amount);
    }
    let (left, due) = pay_due(state, amount.minus(short)?)?;
    let (left, billed) = if is_billed {
        pay_billed(state, left)?
    } else {
        (left, Parts::default())
    };
    let (left, ahead) = pay_ahead(state, left)?;
    state.post_paid(&due.plus(&billed)?.plus(&ahead)?);
    owe(state, left.plus(short)?)
}

/// Takes in a credit by the buckets of the agreement's servicing; what is over is owed to the payer.
pub(crate) fn credit(
    state: &mut State<'_>,
    servicing: &Servicing,
    kind: Credit,
    amount: Amount,
) -> Result<(), OutOfRange> {
    crate::loan::overdue::count(state)?;
    let short = short(state, amount)?;
    let (left, _) = spread(state, servicing, kind, amount.minus(short)?)?;
    owe(state, left.plus(short)?)
}

/// Takes in money for what is due, and keeps the rest for the payer: nobody asked to pay ahead with it.
pub(crate) fn keep(state: &mut State<'_>, amount: Amount) -> Result<(), OutOfRange> {
    let short = short(state, amount)?;
    let (left, due) = pay_due(state, amount.minus(short)?)?;
    state.post_paid(&due);
    owe(state, left.plus(short)?)
}

/// Spreads an amount by the buckets of the agreement's servicing; says what is left and what was paid.
pub(crate) fn spread(
    state: &mut State<'_>,
    servicing: &Servicing,
    credit: Credit,
    amount: Amount,
) -> Result<(Amount, Parts), OutOfRange> {
    let mut turn = Turn {
        left: amount,
        paid: Parts::default(),
    };
    let Some(rule) = servicing.rule(credit).filter(|_| amount.is_positive()) else {
        return Ok((amount, turn.paid));
    };
    // Principal that was paid may have let a row owe interest whose turn was over: it comes again.
    loop {
        let before = turn.left;
        turn.fill_all(state, servicing.row_by_row, rule)?;
        if turn.left == before || turn.left.is_zero() {
            break;
        }
    }
    state.principal = state.principal.minus(turn.paid.principal)?;
    Ok((turn.left, turn.paid))
}

/// An amount on its way through the buckets.
struct Turn {
    /// What is left of it.
    left: Amount,
    /// What it paid so far.
    paid: Parts,
}

impl Turn {
    /// Goes through all buckets once.
    fn fill_all(&mut self, state: &mut State<'_>, row_by_row: bool, rule: &Rule) -> Result<(), OutOfRange> {
        for (place, bucket) in rule.buckets.iter().enumerate() {
            let is_same = |b: &&Bucket| row_by_row && b.timing == bucket.timing;
            if rule.buckets.iter().take(place).any(|b| is_same(&b)) {
                continue;
            }
            let together = rule.buckets.iter().filter(|b| *b == bucket || is_same(b));
            let components: Vec<Component> = together.map(|b| b.component).collect();
            self.fill(state, bucket.timing, &components, rule.ahead)?;
        }
        Ok(())
    }

    /// Pays some components of the rows of one timing, until nothing is left of the amount or of them.
    fn fill(
        &mut self,
        state: &mut State<'_>,
        timing: Timing,
        components: &[Component],
        ahead: Ahead,
    ) -> Result<(), OutOfRange> {
        let mut passed = Vec::new();
        while self.left.is_positive() {
            let mut places = Vec::with_capacity(state.rows.len());
            for (place, standing) in state.rows.iter().enumerate() {
                let is_open = standing.owes(components)? && !passed.contains(&place);
                if is_open && standing.timing(state.day) == timing {
                    places.push(place);
                }
            }
            if timing != Timing::Ahead || ahead == Ahead::Next {
                places.truncate(1);
            } else if ahead == Ahead::Last {
                places = places.pop().into_iter().collect();
            }
            if places.is_empty() {
                break;
            }
            let before = self.left;
            for component in components {
                self.pay_rows(state, &places, *component, timing)?;
            }
            // A row takes nothing while what it owes is not earned: another may, and then this one again.
            if self.left == before {
                passed.append(&mut places);
            } else {
                passed.clear();
            }
        }
        Ok(())
    }

    /// Pays one component of some rows alike; the last takes what the division leaves.
    fn pay_rows(
        &mut self,
        state: &mut State<'_>,
        places: &[usize],
        component: Component,
        timing: Timing,
    ) -> Result<(), OutOfRange> {
        let Ok(count) = i64::try_from(places.len()) else {
            return Err(OutOfRange("the number of rows"));
        };
        if count == 0 {
            return Ok(());
        }
        let each = self.left.share(1, count, Rounding::HalfEven)?;
        let rest = self.left.minus(each.times(count)?)?;
        for (turn, place) in (1i64..).zip(places) {
            let most = if turn == count { each.plus(rest)? } else { each };
            let amount = pay_bucket(state, *place, component, timing, most.min(self.left))?;
            self.paid.add(component, amount)?;
            self.left = self.left.minus(amount)?;
        }
        Ok(())
    }
}

/// Pays one component of one row. Where interest follows the balance, a row that is paid ahead takes interest only as far
/// as the agreement says, and what was paid changes what the rows to come owe.
fn pay_bucket(
    state: &mut State<'_>,
    place: usize,
    component: Component,
    timing: Timing,
    most: Amount,
) -> Result<Amount, OutOfRange> {
    let day = state.day;
    let recalculation = state.terms.conventions.recalculation();
    let follows = matches!(component, Component::Principal | Component::Interest) && state.accrual.is_some();
    let Some(standing) = state.rows.get_mut(place) else {
        return Ok(Amount::ZERO);
    };
    if !follows || !standing.is_regular() {
        return standing.take(day, component, most);
    }
    let due_on = standing.row.due_on;
    let mut on = day;
    if let Some(recalculation) = recalculation.filter(|_| timing == Timing::Ahead) {
        if recalculation.until == Until::PeriodEnd && standing.from < day {
            on = due_on;
        }
        let cut = state
            .accrual
            .as_ref()
            .map(|a| a.due_at(due_on, on))
            .transpose()?
            .flatten();
        if let Some((principal, interest)) = cut {
            standing.owe(component, principal, interest)?;
        }
    }
    let paid_before = standing.row.figures(component).paid;
    let beside = standing.added.of(component);
    let charged = standing.row.figures(component).charged;
    let Some(accrual) = &mut state.accrual else {
        return standing.take(day, component, most);
    };
    let is_principal = component == Component::Principal;
    let beside = if is_principal {
        beside.minus(accrual.credited(due_on))?
    } else {
        beside
    };
    // What came to be owed beside the plan is no part of the balance: the plan is paid first.
    let planned = charged.minus(beside)?;
    let term = accrual.terms.iter().find(|t| t.until == due_on);
    let before = term.map_or(Amount::ZERO, |t| match component {
        Component::Principal => t.paid_principal,
        _ => t.paid_interest,
    });
    // What the rows to come ask for may pass what is left of the loan, until the last of them gives way.
    let most = if is_principal && recalculation.is_some() {
        let open_beside = beside.minus_or_zero(paid_before.minus_or_zero(before)?)?;
        most.min(accrual.unpaid()?.max(Amount::ZERO).plus(open_beside)?)
    } else {
        most
    };
    let paid = standing.take(day, component, most)?;
    let own = planned.minus_or_zero(before)?.min(paid);
    if !is_principal {
        accrual.pay_interest(due_on, own)?;
    } else if recalculation.is_some() {
        accrual.pay_principal(due_on, on, own)?;
    }
    state.follow()?;
    Ok(paid)
}

/// Waives at most so much of a component, the oldest row first, where rows follow the agreement's servicing.
pub(crate) fn waive(state: &mut State<'_>, component: Component, amount: Amount) -> Result<(), OutOfRange> {
    crate::loan::overdue::count(state)?;
    let follows = state.terms.conventions.recalculation().is_some();
    let mut left = amount;
    for place in 0..state.rows.len() {
        let day = state.day;
        let Some(standing) = state.rows.get_mut(place) else {
            continue;
        };
        let waived = standing.waive(component, left)?;
        let (due_on, is_regular) = (standing.row.due_on, standing.is_regular());
        left = left.minus(waived)?;
        // The balance behind the rows knows no difference between what was paid and what is not asked for.
        let accrual = state.accrual.as_mut().filter(|_| follows && is_regular);
        match (accrual, component) {
            (Some(accrual), Component::Principal) => accrual.pay_principal(due_on, day, waived)?,
            (Some(accrual), Component::Interest) => accrual.pay_interest(due_on, waived)?,
            _ => {}
        }
        state.follow()?;
    }
    let waived = amount.minus(left)?;
    if component == Component::Principal {
        state.principal = state.principal.minus(waived)?;
    }
    Ok(())
}

impl Standing {
    /// When the row is due, seen from a day.
    fn timing(&self, day: Date) -> Timing {
        match self.row.due_on.cmp(&day) {
            core::cmp::Ordering::Less => Timing::PastDue,
            core::cmp::Ordering::Equal => Timing::Due,
            core::cmp::Ordering::Greater => Timing::Ahead,
        }
    }

    /// Whether anything is open: of one component if only that is asked for, else of the row.
    fn owes(&self, components: &[Component]) -> Result<bool, OutOfRange> {
        let open = match components {
            [only] => self.open_of(*only)?,
            _ => self.row.open()?.total()?,
        };
        Ok(open.is_positive())
    }

    /// Lets the row owe what it does if interest is taken up to a day.
    fn owe(&mut self, component: Component, principal: Amount, interest: Amount) -> Result<(), OutOfRange> {
        match component {
            Component::Principal => {
                self.row.principal.charged = principal.plus(self.added.principal)?;
            }
            _ => self.row.interest.charged = interest.plus(self.added.interest)?,
        }
        Ok(())
    }

    /// Pays what is open of one component, at most `left`, and notes whether it came before or after its day.
    pub(crate) fn take(
        &mut self,
        day: Date,
        component: Component,
        left: Amount,
    ) -> Result<Amount, OutOfRange> {
        let paid = self.pay(component, left)?;
        if day < self.row.due_on {
            self.ahead = self.ahead.plus(paid)?;
        } else if day > self.row.due_on {
            self.late_paid = self.late_paid.plus(paid)?;
        }
        Ok(paid)
    }
}

/// The part of a payment that a negative credit balance takes: what had been paid out, and then bounced.
fn short(state: &State<'_>, amount: Amount) -> Result<Amount, OutOfRange> {
    Ok(Amount::ZERO.minus(state.credit)?.max(Amount::ZERO).min(amount))
}

/// Owes the payer what was over.
fn owe(state: &mut State<'_>, over: Amount) -> Result<(), OutOfRange> {
    state.credit = state.credit.plus(over)?;
    state.post(PostingKind::Overpaid, over);
    Ok(())
}

/// Lets a credit balance meet what is due.
pub(crate) fn apply_credit(state: &mut State<'_>) -> Result<(), OutOfRange> {
    let credit = state.credit.max(Amount::ZERO);
    let (left, paid) = pay_due(state, credit)?;
    let used = credit.minus(left)?;
    state.credit = state.credit.minus(used)?;
    state.post(PostingKind::CreditApplied, used);
    state.post_paid(&paid);
    Ok(())
}

/// Pays what is due by the waterfall; says what is left and what was paid.
pub(crate) fn pay_due(state: &mut State<'_>, amount: Amount) -> Result<(Amount, Parts), OutOfRange> {
    let waterfall = &state.terms.conventions.waterfall;
    let (mut left, mut paid) = (amount, Parts::default());
    if waterfall.row_by_row {
        for standing in state.due_rows() {
            if !left.is_positive() {
                break;
            }
            for component in waterfall.components() {
                left = pay(standing, component, left, &mut paid)?;
            }
        }
    } else {
        for component in waterfall.components() {
            for standing in state.due_rows() {
                left = pay(standing, component, left, &mut paid)?;
            }
        }
    }
    state.principal = state.principal.minus(paid.principal)?;
    Ok((left, paid))
}

/// Pays one component of one row; says what is left.
fn pay(
    standing: &mut Standing,
    component: Component,
    left: Amount,
    paid: &mut Parts,
) -> Result<Amount, OutOfRange> {
    if !left.is_positive() {
        return Ok(left);
    }
    let amount = standing.pay(component, left)?;
    paid.add(component, amount)?;
    left.minus(amount)
}

impl Waterfall {
    /// The components in their order; what the order leaves out comes last, so that nothing can never be paid.
    pub fn components(&self) -> impl Iterator<Item = Component> {
        let rest = Component::ALL.into_iter().filter(|c| !self.order.contains(c));
        self.order.iter().copied().chain(rest)
    }
}

/// Pays the next instalment as it is, fee and interest included; says what is left and what was paid.
fn pay_billed(state: &mut State<'_>, amount: Amount) -> Result<(Amount, Parts), OutOfRange> {
    let waterfall = &state.terms.conventions.waterfall;
    let (mut left, mut paid) = (amount, Parts::default());
    if let Some(standing) = state.ahead_rows().next() {
        for component in waterfall.components() {
            left = pay(standing, component, left, &mut paid)?;
        }
    }
    state.principal = state.principal.minus(paid.principal)?;
    state.charge(PostingKind::InterestCharged, paid.interest)?;
    state.charge(PostingKind::FeeCharged, paid.fee)?;
    Ok((left, paid))
}

/// Pays what is not due yet by the prepayment rule; says what is left and what was paid.
///
/// Principal that is paid before its day no longer earns: its fee falls away, except for the share that the settlement
/// method keeps, and interest is reckoned anew on what is left. Instalments paid ahead as they are keep their price.
fn pay_ahead(state: &mut State<'_>, amount: Amount) -> Result<(Amount, Parts), OutOfRange> {
    if !amount.is_positive() || state.due >= state.rows.len() {
        return Ok((amount, Parts::default()));
    }
    crate::settlement::accrue(state)?;
    let (left, paid) = match state.terms.conventions.prepayment {
        Prepayment::NextFirst => next_first(state, amount)?,
        Prepayment::ShorterTerm => {
            let share = kept_share(state);
            let mut out = (amount, Parts::default());
            for standing in state.ahead_rows().rev() {
                out.0 = free(standing, out.0, share, &mut out.1)?;
            }
            out
        }
        Prepayment::LowerInstalment => lower(state, amount)?,
    };
    state.principal = state.principal.minus(paid.principal)?;
    if state.terms.conventions.prepayment != Prepayment::NextFirst {
        crate::settlement::reprice(state)?;
    }
    state.charge(PostingKind::InterestCharged, paid.interest)?;
    state.charge(PostingKind::FeeCharged, paid.fee)?;
    Ok((left, paid))
}

/// Pays the next instalments ahead as they are.
fn next_first(state: &mut State<'_>, amount: Amount) -> Result<(Amount, Parts), OutOfRange> {
    let waterfall = &state.terms.conventions.waterfall;
    let (mut left, mut paid) = (amount, Parts::default());
    for standing in state.ahead_rows() {
        if !left.is_positive() {
            break;
        }
        for component in waterfall.components() {
            left = pay(standing, component, left, &mut paid)?;
        }
    }
    Ok((left, paid))
}

/// Makes all remaining instalments smaller.
fn lower(state: &mut State<'_>, amount: Amount) -> Result<(Amount, Parts), OutOfRange> {
    let share = kept_share(state);
    let mut wanted = Vec::with_capacity(state.rows.len());
    for standing in state.ahead_rows() {
        wanted.push(price(standing, share)?.0);
    }
    let all = Amount::sum(wanted.iter().copied())?;
    let used = amount.min(all);
    let (mut left, mut paid) = (amount.minus(used)?, Parts::default());
    for (standing, part) in state.ahead_rows().zip(used.by_weights(&wanted)?) {
        left = left.plus(free(standing, part, share, &mut paid)?)?;
    }
    Ok((left, paid))
}

/// The share of a fee that is paid although its principal is paid before its day, in 10⁻⁹.
fn kept_share(state: &State<'_>) -> i64 {
    match state.terms.conventions.settlement {
        Settlement::RemainingFee { share } => share.ppb().clamp(0, crate::money::Rate::ONE.ppb()),
        _ => 0,
    }
}

/// What freeing all of a row costs, and the fee in it.
fn price(standing: &Standing, share: i64) -> Result<(Amount, Amount), OutOfRange> {
    let fee = standing
        .row
        .fee
        .open()?
        .share(share, crate::money::Rate::ONE.ppb(), Rounding::Down)?;
    Ok((standing.row.principal.open()?.plus(fee)?, fee))
}

/// Pays principal of a row before its day, with the kept share of its fee; says what is left.
fn free(standing: &mut Standing, left: Amount, share: i64, paid: &mut Parts) -> Result<Amount, OutOfRange> {
    let (all, kept) = price(standing, share)?;
    if !left.is_positive() || !all.is_positive() {
        return Ok(left);
    }
    let used = left.min(all);
    let fee = standing.pay(
        Component::Fee,
        kept.share(used.minor(), all.minor(), Rounding::Down)?,
    )?;
    let principal = standing.pay(Component::Principal, used.minus(fee)?)?;
    standing.freed = standing.freed.plus(principal)?;
    paid.add(Component::Fee, fee)?;
    paid.add(Component::Principal, principal)?;
    left.minus(fee)?.minus(principal)
}

/// What one agreement owes, for a payment that may be for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debt {
    /// The agreement.
    pub agreement: AgreementId,
    /// The due date of the oldest that is open.
    pub due_on: Date,
    /// What is due of it.
    pub due: Amount,
    /// The most that a payment for it can be: the settlement figure of the day, at least what is due.
    pub most: Amount,
}

/// The part of a payment that goes to one agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The agreement.
    pub agreement: AgreementId,
    /// How much.
    pub amount: Amount,
}

/// Spreads a payment over agreements (民法典 560): those the payer chose, in the order of the choice, each up to what is
/// due and then, in the same order, up to what it can take. Without a choice what is due is met, the earliest due first,
/// and debts of one day in proportion. An agreement that is chosen twice is chosen once: it owes what it owes. Says what
/// could not be placed.
///
/// # Errors
/// [`OutOfRange`] if the debts do not fit together.
pub fn across(
    debts: &[Debt],
    chosen: &[AgreementId],
    amount: Amount,
) -> Result<(Vec<Share>, Amount), OutOfRange> {
    if chosen.is_empty() {
        return by_due_date(debts, amount);
    }
    let mut shares: Vec<Share> = Vec::with_capacity(chosen.len());
    let mut left = amount;
    let mut picked: Vec<&Debt> = Vec::with_capacity(chosen.len());
    for id in chosen {
        let debt = debts.iter().find(|d| d.agreement == *id);
        picked.extend(debt.filter(|_| picked.iter().all(|d| d.agreement != *id)));
    }
    for debt in &picked {
        let part = debt.due.min(left);
        left = left.minus(part)?;
        shares.push(Share {
            agreement: debt.agreement,
            amount: part,
        });
    }
    for (share, debt) in shares.iter_mut().zip(&picked) {
        let part = debt.most.minus_or_zero(share.amount)?.min(left);
        share.amount = share.amount.plus(part)?;
        left = left.minus(part)?;
    }
    shares.retain(|s| s.amount.is_positive());
    Ok((shares, left))
}

/// What is due, the earliest due first, debts of one day in proportion.
fn by_due_date(debts: &[Debt], amount: Amount) -> Result<(Vec<Share>, Amount), OutOfRange> {
    let mut sorted: Vec<&Debt> = debts.iter().filter(|d| d.due.is_positive()).collect();
    sorted.sort_by_key(|d| (d.due_on, d.agreement));
    let mut shares = Vec::with_capacity(sorted.len());
    let mut left = amount;
    for day in sorted.chunk_by(|a, b| a.due_on == b.due_on) {
        let dues: Vec<Amount> = day.iter().map(|d| d.due).collect();
        let used = Amount::sum(dues.iter().copied())?.min(left);
        for (debt, part) in day.iter().zip(used.by_weights(&dues)?) {
            if part.is_positive() {
                shares.push(Share {
                    agreement: debt.agreement,
                    amount: part,
                });
            }
        }
        left = left.minus(used)?;
    }
    Ok((shares, left))
}
