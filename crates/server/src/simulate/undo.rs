//! Taking back what was entered: its transaction is reversed, and everything is done again without it.

use fenqi_domain::loan::{Amendment, Event, Transaction};

use super::field::{Fields, Read};
use super::play::{Entry, Player, unknown};

/// What an operation takes back, by its word, and what the table calls it.
const KINDS: [(&str, &str); 19] = [
    ("repayment", "Repayment"),
    ("last_repayment", "Repayment"),
    ("merchant_issued_refund", "Merchant Issued Refund"),
    ("payout_refund", "Payout Refund"),
    ("goodwill_credit", "Goodwill Credit"),
    ("interest_payment_waiver", "Interest Payment Waiver"),
    ("charge_adjustment", "Charge Adjustment"),
    ("chargeback", "Chargeback"),
    ("charge_off", "Charge-off"),
    ("write_off", "Close (as written-off)"),
    ("reage", "Re-age"),
    ("reamortize", "Re-amortize"),
    ("contract_termination", "Contract Termination"),
    ("refund_by_cash", "Refund"),
    ("credit_balance_refund", "Credit Balance Refund"),
    ("down_payment", "Down Payment"),
    ("pay_off", "Repayment"),
    ("waive_interest", "Waive interest"),
    ("waive_charge", "Waive loan charges"),
];

impl Player {
    /// Takes something back.
    pub(super) fn take_back(&mut self, op: &Fields<'_>, what: &str) -> Read<()> {
        match what {
            "disbursal" => self.undo_lending(),
            "last_disbursal" => self.undo_last_lending(op),
            _ if op.get("nth_on_date").is_some() => {
                // Whatever the operation is called, all transactions of the date are counted.
                let (nth, on) = (op.count("nth_on_date")?, op.date("transaction_date")?);
                let shown = |e: &&Entry| e.on == on && e.kind.is_some();
                let found = self.entries.iter().filter(shown).nth(usize::from(nth.max(1)) - 1);
                let number = found.map(|e| e.number);
                self.undo(number.ok_or_else(|| op.wrong("nth_on_date", "which transaction of that date"))?)
            }
            "transaction" => {
                let said = op.need("transaction_type")?.replace('_', " ").to_lowercase();
                let kinds = self.entries.iter().filter_map(|e| e.kind);
                let kind = kinds.rev().find(|kind| kind.to_lowercase() == said);
                let kind = kind.ok_or_else(|| op.wrong("transaction_type", "the type of a transaction"))?;
                self.undo_kind(op, kind)
            }
            _ => {
                let kind = KINDS.iter().find(|(word, _)| *word == what);
                let Some((_, kind)) = kind else {
                    return Err(unknown(op, &super::schema::operations()?));
                };
                self.undo_kind(op, kind)
            }
        }
    }

    /// Takes back the n-th transaction of a kind, or the last of those that stand: of a day, of an amount, if that is said.
    fn undo_kind(&mut self, op: &Fields<'_>, kind: &str) -> Read<()> {
        let of_kind = |e: &&Entry| e.kind == Some(kind);
        let found = if op.get("nth").is_some() {
            let nth = usize::from(op.count("nth")?.max(1)) - 1;
            self.entries.iter().filter(of_kind).nth(nth)
        } else {
            let on = op.date_if("transaction_date")?;
            let amount = op.get("amount").map(|_| self.money(op)).transpose()?;
            let fits = |e: &&Entry| {
                let moved = e.record.map(|r| r.amount);
                e.stands && on.is_none_or(|on| on == e.on) && (amount.is_none() || amount == moved)
            };
            self.entries.iter().filter(of_kind).rfind(fits)
        };
        let number = found.map(|e| e.number);
        self.undo(number.ok_or_else(|| format!("there is no {kind} to undo"))?)
    }

    /// Reverses a transaction, and what it brought along.
    fn undo(&mut self, number: u32) -> Read<()> {
        let mut numbers = vec![number];
        for entry in self.entries.iter().filter(|e| e.number == number) {
            numbers.extend(entry.with);
        }
        for of in numbers {
            for entry in self.entries.iter_mut().filter(|e| e.number == of) {
                entry.stands = false;
            }
            let number = self.next_number();
            self.transactions.push(Transaction {
                number,
                effective_on: self.today(),
                event: Event::Reversed { of },
            });
        }
        self.counted_to = self.counted_to.max(Some(self.today()));
        self.fold(None)
    }

    /// Takes back the last disbursement, and what was paid with it.
    fn undo_last_lending(&mut self, op: &Fields<'_>) -> Read<()> {
        let lent = |e: &Entry| e.stands && e.kind == Some("Disbursement");
        if self.entries.iter().filter(|e| lent(e)).count() < 2 {
            return self.undo_lending();
        }
        let Some(last) = self.entries.iter().rfind(|e| lent(e)) else {
            return Err(op.wrong("op", "it after a disbursement"));
        };
        let (number, on) = (last.number, last.on);
        let along: Vec<u32> = self
            .entries
            .iter()
            .filter(|e| e.stands && e.on == on && e.number > number && e.kind == Some("Down Payment"))
            .map(|e| e.number)
            .collect();
        along.into_iter().try_for_each(|of| self.undo(of))?;
        self.undo(number)
    }

    /// Takes back that anything was lent: the loan is agreed, and charges stand.
    fn undo_lending(&mut self) -> Read<()> {
        for entry in &mut self.entries {
            entry.stands = false;
        }
        let is_charge = |t: &Transaction| {
            matches!(
                t.event,
                Event::Amended {
                    by: Amendment::Charged { .. } | Amendment::Surcharged { .. }
                }
            )
        };
        self.transactions.retain(is_charge);
        (self.terms, self.life, self.counted_to) = (None, None, None);
        Ok(())
    }
}
