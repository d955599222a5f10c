//! Playing a case: its operations become transactions, and the rules are asked after each.

use fenqi_domain::loan::{
    Amendment, Event, Intent, Life, ROWS_MAX, Reaging, Reamortising, Record, Transaction, life, quote,
};
use fenqi_domain::money::{Amount, Rate, Rounding};
use fenqi_domain::plan::{Component, Terms};
use fenqi_domain::servicing::{Credit, Period};
use jiff::civil::Date;

use super::admit::days;
use super::field::{Fields, Read};
use super::lateness::{Charged, Late};
use super::terms::{Product, unit};

/// What becomes of interest when a loan is spread over new rows.
const REAGINGS: [(&str, Reaging); 3] = [
    ("DEFAULT", Reaging::Anew),
    ("EQUAL_AMORTIZATION_PAYABLE_INTEREST", Reaging::Payable),
    ("EQUAL_AMORTIZATION_FULL_INTEREST", Reaging::All),
];

/// What becomes of overdue interest when it is spread over the rows to come.
const REAMORTISINGS: [(&str, Reamortising); 2] = [
    ("DEFAULT", Reamortising::NextRow),
    ("EQUAL_AMORTIZATION_INTEREST_SPLIT", Reamortising::Alike),
];

/// Operations that only move money, and can wait until somebody asks how the loan stands.
const MONEY: [&str; 5] = [
    "repayment",
    "merchant_issued_refund",
    "payout_refund",
    "goodwill_credit",
    "run_cob",
];

/// Says that an operation is not known, and which are.
pub(super) fn unknown(op: &Fields<'_>, known: &[String]) -> String {
    let said = op.text("op").unwrap_or_default();
    let near = known.iter().map(|name| (strsim::jaro_winkler(said, name), name));
    let near = near.max_by(|a, b| a.0.total_cmp(&b.0));
    let meant = near.filter(|(likeness, _)| *likeness > 0.85);
    let meant = meant.map_or_else(String::new, |(_, name)| format!("did you mean {name}? "));
    format!(
        "{}/op: is {said:?}; {meant}Known are {}",
        op.at(),
        known.join(", ")
    )
}

/// One operation as it was entered, and what became of it.
pub struct Entry {
    /// The number of its transaction.
    pub number: u32,
    /// The place of its operation.
    pub at: String,
    /// What it is called; nothing for those that no table shows.
    pub kind: Option<&'static str>,
    /// Its day.
    pub on: Date,
    /// Whether it still stands.
    pub stands: bool,
    /// What it did when it was last known to stand.
    pub record: Option<Record>,
    /// Whether what it did has changed since it was entered.
    pub replayed: bool,
    /// What it brought along, and what goes with it.
    pub with: Option<u32>,
}

/// A case on its way.
pub struct Player {
    /// The terms in the file's words.
    pub product: Product,
    /// The terms, once something was lent.
    pub terms: Option<Terms>,
    /// What was entered.
    pub entries: Vec<Entry>,
    /// How the loan stands.
    pub life: Option<Life>,
    pub(super) transactions: Vec<Transaction>,
    pub(super) fees: Vec<Rate>,
    /// How late it is in the file's words.
    pub late: Late,
    /// Its charges in the file's words.
    pub charged: Vec<Charged>,
    /// What is played, and worth to be known.
    pub notes: Vec<String>,
    today: Date,
    /// Whether the file says what day it is.
    pub(super) is_dated: bool,
    /// The place of the operation at hand.
    pub(super) at: String,
    pub(super) counted_to: Option<Date>,
    /// Whether something was entered since the rules were asked.
    pub(super) is_unsettled: bool,
    /// The business date of the last operation whose range of delinquency is not told yet.
    pub(super) acted_on: Option<Date>,
}

impl Player {
    /// A case before anything happened.
    pub fn new(product: Product, late: Late) -> Player {
        Player {
            today: product.expected_on,
            product,
            terms: None,
            entries: Vec::new(),
            life: None,
            transactions: Vec::new(),
            fees: Vec::new(),
            late,
            charged: Vec::new(),
            notes: Vec::new(),
            is_dated: false,
            at: String::new(),
            counted_to: None,
            is_unsettled: false,
            acted_on: None,
        }
    }

    /// The business date.
    pub fn today(&self) -> Date {
        self.today
    }

    /// What happened so far.
    pub fn transactions(&self) -> &[Transaction] {
        &self.transactions
    }

    /// How the loan would stand if it were lent as expected, for those that are not lent yet.
    pub fn expected(&self) -> Read<Life> {
        let terms = self.product.terms(self.product.expected_on)?;
        let lent = Transaction {
            number: u32::MAX,
            effective_on: self.product.expected_on,
            event: Event::Disbursed {
                amount: self.product.principal,
            },
        };
        let mut all = self.transactions.clone();
        all.push(lent);
        life(&terms, &all, self.product.expected_on).map_err(|e| e.to_string())
    }

    /// Whether the lender gave up what was left.
    pub fn is_written_off(&self) -> bool {
        let written_off = |e: &Entry| e.stands && e.kind == Some("Close (as written-off)");
        self.entries.iter().any(written_off)
    }

    /// Does one operation.
    pub fn operate(&mut self, op: &Fields<'_>) -> Read<()> {
        op.at().clone_into(&mut self.at);
        let name = op.need("op")?;
        // What only moves money does not ask how the loan stands.
        if !MONEY.contains(&name) && name != "set_business_date" {
            self.settle()?;
        }
        match name {
            "set_business_date" => {
                let day = op.date("date")?;
                self.turn_to(op, day);
                self.today = day;
            }
            "create_loan" => {}
            "approve" => self.approve(op)?,
            "delinquency_pause" => {
                let (from, until) = days(op)?;
                self.late.pause(from, until);
            }
            "delinquency_resume" => {
                if !self.late.resume(op.date("date")?) {
                    return Err(op.wrong("date", "a day of a pause"));
                }
            }
            "add_charge" => self.charge(op)?,
            _ => {
                self.act(op)?;
                self.note_day(op)?;
                self.acted_on = Some(self.today);
            }
        }
        Ok(())
    }

    /// What is approved is what is expected from then on.
    fn approve(&mut self, op: &Fields<'_>) -> Read<()> {
        if op.get("amount").is_some() {
            self.product.principal = self.money(op)?;
            self.product.most = self.product.most.max(self.product.principal);
        }
        let on = op.date_if("expected_disbursement_date")?;
        self.product.expected_on = on.unwrap_or(self.product.expected_on);
        Ok(())
    }

    /// The day of an operation: the business date if it says none.
    pub(super) fn day(&self, op: &Fields<'_>) -> Read<Date> {
        Ok(op.date_if("date")?.unwrap_or(self.today))
    }

    /// Does an operation that moves money, changes the schedule, or closes a day.
    fn act(&mut self, op: &Fields<'_>) -> Read<()> {
        match op.need("op")? {
            "run_cob" => {
                self.counted_to = Some(self.today);
                self.is_unsettled = true;
            }
            "disburse" => self.disburse(op)?,
            "repayment" => {
                let event = Event::Repaid {
                    amount: self.money(op)?,
                    intent: Intent::Due,
                };
                self.enter("Repayment", op.date("date")?, event)?;
            }
            "merchant_issued_refund" => {
                self.credit(op, "Merchant Issued Refund", Credit::MerchantRefund)?;
            }
            "payout_refund" => {
                self.credit(op, "Payout Refund", Credit::PayoutRefund)?;
            }
            "goodwill_credit" => {
                self.credit(op, "Goodwill Credit", Credit::Goodwill)?;
            }
            "interest_payment_waiver" => {
                let number = self.credit(op, "Interest Payment Waiver", Credit::InterestWaiver)?;
                self.settle()?;
                self.note_over(op, number);
            }
            "credit_balance_refund" => {
                let amount = self.money(op)?;
                self.admit_pay_out(op, amount)?;
                self.enter(
                    "Credit Balance Refund",
                    op.date("date")?,
                    Event::PaidOut { amount },
                )?;
            }
            "pay_off" => self.pay_off(op)?,
            "charge_adjustment" => self.adjust(op)?,
            "waive_interest" => {
                let (component, amount) = (Component::Interest, self.money(op)?);
                self.enter(
                    "Waive interest",
                    self.day(op)?,
                    Event::Waived { component, amount },
                )?;
            }
            "chargeback" => self.charge_back(op)?,
            "refund_by_cash" => {
                let amount = self.money(op)?;
                let by = Amendment::HandedBack { amount };
                self.enter("Refund", op.date("date")?, Event::Amended { by })?;
            }
            other => match other.split_once('_') {
                Some(("undo", what)) => self.take_back(op, what)?,
                Some(("waive", what)) if what.ends_with("charge") => self.waive(op, what)?,
                _ => self.restructure(op, other)?,
            },
        }
        Ok(())
    }

    /// New schedules, and the end of patience.
    fn restructure(&mut self, op: &Fields<'_>, what: &str) -> Read<()> {
        match what {
            "reage" => {
                let by = Amendment::Reaged {
                    start_on: op.date("start_date")?,
                    period: Period {
                        every: op.count_in("frequency_number", 1..=u16::MAX)?.unwrap_or(1),
                        unit: unit(op, "frequency_type")?,
                    },
                    count: op.need_count("number_of_installments", 1..=ROWS_MAX)?,
                    interest: op.word("interest_handling", &REAGINGS, Reaging::Anew)?,
                };
                self.enter("Re-age", self.day(op)?, Event::Amended { by })?;
            }
            "reamortize" => {
                let interest = op.word("interest_handling", &REAMORTISINGS, Reamortising::NextRow)?;
                let by = Amendment::Reamortised { interest };
                self.enter("Re-amortize", self.day(op)?, Event::Amended { by })?;
            }
            "reschedule" => self.reschedule(op)?,
            "interest_pause" => {
                let (from, until) = days(op)?;
                let by = Amendment::InterestPaused { from, until };
                self.enter_silently(from, Event::Amended { by })?;
            }
            "charge_off" => {
                let by = Amendment::ChargedOff;
                self.enter("Charge-off", self.day(op)?, Event::Amended { by })?;
            }
            "contract_termination" => {
                let by = Amendment::Terminated;
                self.enter("Contract Termination", self.day(op)?, Event::Amended { by })?;
            }
            "write_off" => {
                let by = Amendment::WrittenOff;
                self.enter("Close (as written-off)", self.day(op)?, Event::Amended { by })?;
            }
            _ => return Err(unknown(op, &super::schema::operations()?)),
        }
        Ok(())
    }

    /// Other due dates, more rows, another rate.
    fn reschedule(&mut self, op: &Fields<'_>) -> Read<()> {
        let from = op.date("from_date")?;
        if op.get("new_annual_rate_percent").is_some() {
            let by = Amendment::RateChanged {
                annual: op.rate("new_annual_rate_percent")?,
            };
            self.counted_to = self.counted_to.max(Some(self.today));
            self.enter_silently(from, Event::Amended { by })?;
        }
        let some = |name| Ok::<u16, String>(op.count_in(name, 0..=ROWS_MAX)?.unwrap_or(0));
        let (to, extra) = (op.date_if("adjusted_due_date")?, some("extra_terms")?);
        let (grace, interest_grace) = (some("grace_on_principal")?, some("grace_on_interest")?);
        if to.is_some() || extra > 0 || grace > 0 || interest_grace > 0 {
            let on = op.date_if("submitted_on")?.unwrap_or(self.today);
            let by = Amendment::Rescheduled {
                from,
                to,
                extra,
                grace,
                interest_grace,
            };
            self.enter_silently(on, Event::Amended { by })?;
        }
        Ok(())
    }

    pub(super) fn money(&self, op: &Fields<'_>) -> Read<Amount> {
        op.money("amount", self.product.currency)
    }

    fn disburse(&mut self, op: &Fields<'_>) -> Read<()> {
        let (amount, on) = (self.money(op)?, op.date("date")?);
        self.admit_lending(op, amount)?;
        // Due dates count from the first disbursement, which may be entered after a later one.
        if self.terms.as_ref().is_none_or(|t| on < t.signed_on) {
            self.terms = Some(self.product.terms(on)?);
        }
        let begins = |t: &Terms| on == t.signed_on || t.due_dates.contains(&on);
        if self.product.takes_whole && !self.terms.as_ref().is_some_and(begins) {
            let what = "a disbursement within a period, where interest is owed for whole periods alone,";
            return Err(op.unsupported("date", what));
        }
        let credit = self.life.as_ref().map_or(Amount::ZERO, |l| l.loan.credit_balance);
        let is_lent = |e: &&Entry| e.stands && e.kind == Some("Disbursement");
        let is_first = self.entries.iter().find(is_lent).is_none();
        self.enter("Disbursement", on, Event::Disbursed { amount })?;
        if is_first {
            self.take_fees(on, amount)?;
        }
        if !self.product.pays_down {
            return Ok(());
        }
        // Its row may owe less by now: what was entered for a later day comes after it.
        let down = self
            .product
            .servicing
            .due_at_once(amount)
            .map_err(|e| e.to_string())?;
        let amount = down.minus_or_zero(credit).map_err(|e| e.to_string())?;
        if amount.is_positive() {
            let credit = Credit::DownPayment;
            let by = Amendment::Credited { amount, credit };
            self.enter("Down Payment", on, Event::Amended { by })?;
        }
        Ok(())
    }

    /// Fees that are paid with the first disbursement, as a share of it.
    fn take_fees(&mut self, on: Date, lent: Amount) -> Read<()> {
        for share in self.fees.clone() {
            let amount = lent.at(share, Rounding::HalfEven).map_err(|e| e.to_string())?;
            let by = Amendment::FeeTaken { amount };
            self.enter("Repayment (at time of disbursement)", on, Event::Amended { by })?;
        }
        Ok(())
    }

    fn credit(&mut self, op: &Fields<'_>, kind: &'static str, credit: Credit) -> Read<u32> {
        let (amount, on) = (self.money(op)?, op.date("date")?);
        let asked = op.flag("interest_refund_calculation")?;
        let refunds = asked.unwrap_or(true) && self.product.interest_refund.contains(&credit);
        let interest = if refunds {
            self.interest_of(amount, on)?
        } else {
            Amount::ZERO
        };
        let by = Amendment::Credited { amount, credit };
        let number = self.enter(kind, on, Event::Amended { by })?;
        if interest.is_positive() {
            let by = Amendment::Credited {
                amount: interest,
                credit: Credit::InterestRefund,
            };
            let with = self.enter("Interest Refund", on, Event::Amended { by })?;
            for entry in self.entries.iter_mut().filter(|e| e.number == number) {
                entry.with = Some(with);
            }
        }
        Ok(number)
    }

    /// The interest that an amount has caused up to a day, as if it had never been lent.
    fn interest_of(&self, amount: Amount, on: Date) -> Read<Amount> {
        let Some(terms) = &self.terms else {
            return Ok(Amount::ZERO);
        };
        fenqi_domain::loan::interest_caused(terms, &self.transactions, amount, on).map_err(|e| e.to_string())
    }

    fn pay_off(&mut self, op: &Fields<'_>) -> Read<()> {
        let on = op.date("date")?;
        let Some(terms) = &self.terms else {
            return Err(op.wrong("op", "a pay-off after a disbursement"));
        };
        let amount = quote(terms, &self.transactions, on).map_err(|e| e.to_string())?;
        let intent = Intent::Due;
        self.enter("Repayment", on, Event::Repaid { amount, intent })?;
        Ok(())
    }

    fn charge_back(&mut self, op: &Fields<'_>) -> Read<()> {
        let amount = self.money(op)?;
        let of_kind = |kind: &str| -> Vec<u32> {
            let mut of_kind: Vec<&Entry> = self.entries.iter().filter(|e| e.kind == Some(kind)).collect();
            of_kind.sort_by_key(|e| (e.on, e.number));
            of_kind.iter().map(|e| e.number).collect()
        };
        let nth = |numbers: Vec<u32>, nth: u16| numbers.get(usize::from(nth.max(1)) - 1).copied();
        let of = if op.get("of_repayment_nr").is_some() {
            nth(of_kind("Repayment"), op.count("of_repayment_nr")?)
        } else if op.get("of_downpayment_nr").is_some() {
            nth(of_kind("Down Payment"), op.count("of_downpayment_nr")?)
        } else {
            let last = [
                ("last_repayment", "Repayment"),
                ("last_downpayment", "Down Payment"),
            ];
            let kind = op.word("of", &last, "Repayment")?;
            let standing = |e: &&Entry| e.stands && e.kind == Some(kind);
            self.entries.iter().rev().find(standing).map(|e| e.number)
        };
        let of = of.ok_or_else(|| op.wrong("of_repayment_nr", "the number of a payment"))?;
        self.admit_chargeback(op, amount, of)?;
        let by = Amendment::ChargedBack { amount, of };
        self.enter("Chargeback", self.day(op)?, Event::Amended { by })?;
        Ok(())
    }
}
