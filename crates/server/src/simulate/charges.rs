//! Charges of a case: what they are called, what they are a share of, and what becomes of them.

use fenqi_domain::calendar::add_days;
use fenqi_domain::loan::{Amendment, Event, Transaction};
use fenqi_domain::money::{AMOUNT_MAX, Amount, Rate, Rounding};
use fenqi_domain::plan::Component;
use jiff::civil::Date;

use super::field::{Fields, Read};
use super::lateness::{Charged, name_of};
use super::play::Player;

/// A charge that an operation means.
struct Meant {
    /// The number of its transaction.
    number: u32,
    /// Its day; none if it is a share of every instalment.
    due_on: Option<Date>,
    /// The day from which on it counts.
    counts_from: Date,
}

impl Player {
    /// Charges a fee or a penalty: an amount, a share of the loan, of each instalment, or of what is lent.
    pub(super) fn charge(&mut self, op: &Fields<'_>) -> Read<()> {
        let charge = op.text("charge").unwrap_or_default();
        let usual = if charge == "LOAN_NSF_FEE" {
            Component::Penalty
        } else {
            Component::Fee
        };
        let kinds = [("FEE", Component::Fee), ("PENALTY", Component::Penalty)];
        let component = op.word("kind", &kinds, usual)?;
        let on = self.day(op)?;
        let share = op.get("percent").map(|_| op.rate("percent")).transpose()?;
        let amount = match share {
            None => self.money(op)?,
            Some(share) if charge == "LOAN_DISBURSEMENT_PERCENTAGE_FEE" => {
                self.fees.push(share);
                self.charged.push(Charged::read(op, None));
                return Ok(());
            }
            Some(share) if charge == "LOAN_INSTALLMENT_PERCENTAGE_FEE" || op.get("due_date").is_none() => {
                return self.surcharge(op, on, component, share);
            }
            Some(share) => {
                let base = self.charged_on(op.text("calculation").unwrap_or_default())?;
                base.at(share, Rounding::HalfEven).map_err(|e| e.to_string())?
            }
        };
        let due_on = op.date("due_date")?;
        let by = Amendment::Charged {
            amount,
            component,
            due_on,
        };
        let number = self.enter_silently(due_on.min(on), Event::Amended { by })?;
        self.charged.push(Charged::read(op, Some(number)));
        self.know_from_the_start(number)
    }

    /// Where a schedule is built as a whole, every payment knows every charge, whatever was entered first: those of
    /// earlier days are spread anew. (Apache Fineract, `AbstractLoanRepaymentScheduleTransactionProcessor`: all charges
    /// are in the rows before the first transaction is done again.)
    fn know_from_the_start(&mut self, charge: u32) -> Read<()> {
        let Some(terms) = self.terms.as_ref().filter(|_| self.product.servicing.whole) else {
            return Ok(());
        };
        let before_all = add_days(terms.signed_on, -1).map_err(|e| e.to_string())?;
        for transaction in self.transactions.iter_mut().filter(|t| t.number == charge) {
            transaction.effective_on = transaction.effective_on.min(before_all);
        }
        self.fold(None)
    }

    /// Charges a share of each instalment, principal and interest.
    fn surcharge(&mut self, op: &Fields<'_>, on: Date, component: Component, share: Rate) -> Read<()> {
        if component != Component::Fee {
            return Err(op.unsupported("kind", "a penalty that is a share of each instalment"));
        }
        if op
            .text("calculation")
            .is_some_and(|words| bases(words) != (true, true))
        {
            let what = "a share of each instalment that is not of principal and interest";
            return Err(op.unsupported("calculation", what));
        }
        let by = Amendment::Surcharged { share };
        let number = self.enter_silently(on, Event::Amended { by })?;
        self.charged.push(Charged::read(op, Some(number)));
        Ok(())
    }

    /// What a percentage is charged on: principal, interest, or both if nothing is said.
    fn charged_on(&self, calculation: &str) -> Read<Amount> {
        let (of_amount, of_interest) = bases(calculation);
        let expected;
        let life = match &self.life {
            Some(life) => life,
            None => {
                expected = self.expected()?;
                &expected
            }
        };
        let rows = life.loan.rows.iter();
        let principal = Amount::sum(rows.clone().filter(|_| of_amount).map(|r| r.principal.charged));
        let interest = Amount::sum(rows.filter(|_| of_interest).map(|r| r.interest.charged));
        principal
            .and_then(|p| p.plus(interest?))
            .map_err(|e| e.to_string())
    }

    /// The charge that an operation means: the last that fits the name and the day that it says, and what its own word
    /// says of it.
    fn meant(&self, op: &Fields<'_>, word: &str) -> Read<Option<Meant>> {
        let on = op.date_if("charge_due_date")?.or(op.date_if("due_date")?);
        let called = op.text("charge").map(name_of);
        let penalty_alone = word.contains("nsf");
        let share_alone = word.contains("installment");
        let fits = |t: &Transaction| {
            let charged = self.charged.iter().find(|c| c.number == Some(t.number));
            called.is_none() || charged.map(|c| &c.name) == called.as_ref()
        };
        let mut known = self.transactions().iter().rev().filter(|t| fits(t));
        Ok(known.find_map(|t| {
            let due_on = match t.event {
                Event::Amended {
                    by:
                        Amendment::Charged {
                            due_on, component, ..
                        },
                } if !share_alone && (!penalty_alone || component == Component::Penalty) => Some(due_on),
                Event::Amended {
                    by: Amendment::Surcharged { .. },
                } if !penalty_alone => None,
                _ => return None,
            };
            let meant = Meant {
                number: t.number,
                due_on,
                counts_from: t.effective_on,
            };
            (on.is_none() || on == due_on).then_some(meant)
        }))
    }

    /// Makes a charge good.
    pub(super) fn adjust(&mut self, op: &Fields<'_>) -> Read<()> {
        let amount = self.money(op)?;
        let Some(Meant { number: of, .. }) = self.meant(op, "")? else {
            return Err(op.wrong("charge_due_date", "the day of a charge"));
        };
        self.admit_adjustment(op, amount, of)?;
        let by = Amendment::ChargeAdjusted { of, amount };
        self.enter("Charge Adjustment", self.day(op)?, Event::Amended { by })?;
        Ok(())
    }

    /// Waives what is open of a charge; whatever is entered later for a day in between finds it waived.
    pub(super) fn waive(&mut self, op: &Fields<'_>, what: &str) -> Read<()> {
        let Some(meant) = self.meant(op, what)? else {
            return Err("no charge is left to waive".into());
        };
        let (of, day) = (meant.number, self.day(op)?);
        let all = Amendment::ChargeWaived {
            of,
            amount: Amount::from_minor(AMOUNT_MAX),
        };
        let on = meant.due_on.unwrap_or(day);
        let number = self.enter("Waive loan charges", on, Event::Amended { by: all })?;
        let known = |t: &Transaction| t.number == number;
        for transaction in self.transactions.iter_mut().filter(|t| known(t)) {
            transaction.effective_on = day;
        }
        self.fold(None)?;
        let entry = self.entries.iter().find(|e| e.number == number);
        let amount = entry
            .and_then(|e| e.record)
            .map_or(Ok(Amount::ZERO), |r| r.parts.total())
            .map_err(|e| e.to_string())?;
        for transaction in self.transactions.iter_mut().filter(|t| known(t)) {
            transaction.effective_on = meant.counts_from;
            transaction.event = Event::Amended {
                by: Amendment::ChargeWaived { of, amount },
            };
        }
        self.fold(Some(number))
    }
}

/// Whether the words for a share name principal, and whether they name interest; both if they name none.
fn bases(calculation: &str) -> (bool, bool) {
    let words = calculation.to_uppercase();
    let of_interest = words.contains("INTEREST") || words.is_empty();
    let of_amount = words.contains("AMOUNT") || words.is_empty() || !of_interest;
    (of_amount, of_interest)
}
