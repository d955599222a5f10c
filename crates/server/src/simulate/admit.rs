//! What may be entered. A replay may leave more paid out than there was, and the rules know what that means; but whoever
//! enters it can see how much there is, and is told.

use fenqi_domain::loan::{Amendment, Event};
use fenqi_domain::money::{AMOUNT_MAX, Amount, point};
use jiff::civil::Date;

use super::field::{Fields, Read};
use super::play::{Entry, Player};

impl Player {
    /// Refuses to pay out more than is left over for the payer.
    pub(super) fn admit_pay_out(&self, op: &Fields<'_>, amount: Amount) -> Read<()> {
        let credit = self.life.as_ref().map_or(Amount::ZERO, |l| l.loan.credit_balance);
        within(op, amount, credit.max(Amount::ZERO), "is left over for the payer")
    }

    /// Refuses to take more of a payment back than it was, chargebacks before this one included.
    pub(super) fn admit_chargeback(&self, op: &Fields<'_>, amount: Amount, payment: u32) -> Read<()> {
        let earlier = self.sum(|by| match by {
            Amendment::ChargedBack { of, amount } if *of == payment => Some(*amount),
            _ => None,
        })?;
        let paid = self.entries.iter().find(|e| e.number == payment && e.stands);
        // What of a payment that was undone can be taken back is for the rules to say.
        let Some(paid) = paid.and_then(|e| e.record) else {
            return Ok(());
        };
        let left = paid.amount.minus_or_zero(earlier).map_err(|e| e.to_string())?;
        within(op, amount, left, "of that payment can be taken back")
    }

    /// Refuses to make more of a charge good than it is.
    pub(super) fn admit_adjustment(&self, op: &Fields<'_>, amount: Amount, charge: u32) -> Read<()> {
        let earlier = self.sum(|by| match by {
            Amendment::ChargeAdjusted { of, amount } if *of == charge => Some(*amount),
            _ => None,
        })?;
        let charged = self.transactions().iter().find_map(|t| match t.event {
            Event::Amended {
                by: Amendment::Charged { amount, .. },
            } if t.number == charge => Some(amount),
            _ => None,
        });
        // What a share of every instalment comes to is known to the rows alone.
        let charged = charged.unwrap_or(Amount::from_minor(AMOUNT_MAX));
        let left = charged.minus_or_zero(earlier).map_err(|e| e.to_string())?;
        within(op, amount, left, "of that charge can be made good")
    }

    /// Refuses to lend more than was applied for or approved, unless the product lends in parts: those of the files may then
    /// lend more, and it is noted.
    pub(super) fn admit_lending(&mut self, op: &Fields<'_>, amount: Amount) -> Read<()> {
        let is_lent = |e: &&Entry| e.stands && e.kind == Some("Disbursement");
        let lent = self.entries.iter().filter(is_lent).filter_map(|e| e.record);
        let lent = Amount::sum(lent.map(|r| r.amount)).map_err(|e| e.to_string())?;
        let most = self.product.most;
        let left = most.minus_or_zero(lent).map_err(|e| e.to_string())?;
        if self.product.lends_in_parts && amount > left {
            self.notes.push(format!(
                "{}/amount: more is lent than the {} that were applied for",
                op.at(),
                shown(most)
            ));
            return Ok(());
        }
        within(op, amount, left, "of the principal may still be lent")
    }

    /// Notes that a waiver leaves something over, which the payer can ask for in cash.
    pub(super) fn note_over(&mut self, op: &Fields<'_>, number: u32) {
        let entry = self.entries.iter().find(|e| e.number == number);
        let over = entry.and_then(|e| e.record).map(|r| r.over);
        if let Some(over) = over.filter(|o| o.is_positive()) {
            let over = shown(over);
            self.notes.push(format!(
                "{}/amount: {over} more than is owed is waived, and left over for the payer",
                op.at()
            ));
        }
    }

    /// Notes a day that has not come by the business date, where the file says one.
    pub(super) fn note_day(&mut self, op: &Fields<'_>) -> Read<()> {
        let on = op
            .date_if("date")?
            .filter(|on| self.is_dated && *on > self.today());
        if let Some(on) = on {
            let (at, today) = (op.at(), self.today());
            self.notes.push(format!(
                "{at}/date: {on} is after the business date {today}; it is played as if that day had come"
            ));
        }
        Ok(())
    }

    /// Lets it be another day, and notes a day that was before.
    pub(super) fn turn_to(&mut self, op: &Fields<'_>, day: Date) {
        if self.is_dated && day < self.today() {
            let (at, today) = (op.at(), self.today());
            self.notes.push(format!(
                "{at}/date: the business date goes back from {today} to {day}; what was entered stays"
            ));
        }
        self.is_dated = true;
    }

    /// The sum of an amount of the amendments that stand.
    fn sum(&self, amount: impl Fn(&Amendment) -> Option<Amount>) -> Read<Amount> {
        let stands = |number| self.entries.iter().any(|e| e.number == number && e.stands);
        let amounts = self.transactions().iter().filter_map(|t| match &t.event {
            Event::Amended { by } if stands(t.number) => amount(by),
            _ => None,
        });
        Amount::sum(amounts).map_err(|e| e.to_string())
    }
}

/// The days of something that lasts, both included.
pub(super) fn days(op: &Fields<'_>) -> Read<(Date, Date)> {
    let (from, until) = (op.date("from")?, op.date("to")?);
    if until < from {
        return Err(format!(
            "{}/to: {until} is before {from}, on which it begins; both days are included",
            op.at()
        ));
    }
    Ok((from, until))
}

/// Refuses an amount beyond the most.
fn within(op: &Fields<'_>, amount: Amount, most: Amount, what: &str) -> Read<()> {
    if amount <= most {
        return Ok(());
    }
    let (at, amount, most) = (op.at(), shown(amount), shown(most));
    Err(format!("{at}/amount: {amount} is too much; {most} {what}"))
}

fn shown(amount: Amount) -> String {
    point(amount.minor(), 2)
}
