//! What a credit bureau is told of a loan (征信): one code for each month, from the same fold as everything else.
//!
//! The codes are those of the second generation of the People's Bank's credit reference system (二代征信), as its reports
//! explain them: `N` paid in time, `M` paid after its day and before the month was over, `1` to `7` overdue by 1–30,
//! 31–60, …, more than 180 days, `*` nothing to be paid, `#` not known, `C` paid off, `D` paid by a guarantor, `Z` paid in
//! goods, `B` bad debt, `G` ended in another way. Reports show five years of them, earlier ones two. Taken from several
//! public explanations of the report (2019–2024), to be confirmed against the collection standard, which is not public.
//!
//! Days past due are those of the loan: within grace, in a pause and for days of an outage nothing is late, so that nobody
//! is reported for what was ours. Where a pause holds while something is overdue, the month is `#`: what is disputed is
//! not claimed. A payment that bounced or was entered late changes the months since; whoever was told hears it again.

use alloc::vec::Vec;
use core::fmt;

use jiff::civil::Date;

use crate::calendar::add_days;
use crate::loan::{Amendment, Broken, Event, Loan, Transaction, fold};
use crate::money::{Amount, OutOfRange};
use crate::plan::Terms;

/// How many months a report shows.
pub const FIVE_YEARS: usize = 60;
/// How many months reports of the first generation showed.
pub const TWO_YEARS: usize = 24;

/// A month's code (还款状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonthCode {
    /// Nothing was to be paid: `*`.
    NothingDue,
    /// What was due was paid in time: `N`.
    InTime,
    /// It was paid after its day, before the month was over: `M`.
    PaidLate,
    /// It is overdue: `1` to `7`.
    Overdue(Bracket),
    /// The lender no longer expects to be paid: `B` (呆账).
    BadDebt,
    /// A guarantor paid: `D` (担保人代还).
    ByGuarantor,
    /// Something was taken instead of money: `Z` (以资抵债).
    InGoods,
    /// Everything was paid: `C` (结清).
    PaidOff,
    /// It ended without having been paid, because everything went back: `G` (结束).
    Ended,
    /// What is owed is disputed: `#` (未知).
    Unknown,
}

/// How long something is overdue, in steps of 30 days up to more than 180: 1 to 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bracket(u8);

/// How a payment came that the payer did not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Substitute {
    /// A guarantor paid.
    Guarantor,
    /// Something was taken instead of money.
    Goods,
}

/// A payment that the payer did not make: which the ledger of the lender knows, and no loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Substituted {
    /// The number of its transaction.
    pub transaction: u32,
    /// How it came.
    pub by: Substitute,
}

/// A month of a loan as a bureau is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    /// Its last day, of which it speaks.
    pub ends_on: Date,
    /// Its code.
    pub code: MonthCode,
    /// What was overdue on that day (当前逾期总额).
    pub overdue: Amount,
}

// R40: what a bureau would be told of each month
/// The months of a loan, from the one in which it was first lent to the last that is over, or to the one in which it
/// ended; [`last`] cuts them to what a report shows.
///
/// # Errors
/// As [`fold`](fn@crate::loan::fold).
pub fn months(
    terms: &Terms,
    transactions: &[Transaction],
    as_of: Date,
    substituted: &[Substituted],
) -> Result<Vec<Month>, Broken> {
    let live = fold::live(transactions)?;
    let first = live.iter().find(|t| matches!(t.event, Event::Disbursed { .. }));
    let Some(first) = first.map(|t| t.effective_on).filter(|on| *on <= as_of) else {
        return Ok(Vec::new());
    };
    let ended_on = fold::fold(terms, transactions, as_of)?.settled_on()?;
    let mut months = Vec::new();
    let mut ends_on = first.last_of_month();
    while ends_on <= as_of {
        let is_last = ended_on.is_some_and(|on| on <= ends_on);
        let month = Told {
            terms,
            live: &live,
            substituted,
            ends_on,
        };
        months.push(month.tell(transactions, is_last)?);
        if is_last {
            break;
        }
        ends_on = add_days(ends_on, 1)?.last_of_month();
    }
    Ok(months)
}

/// The last so many months.
pub fn last(months: &[Month], count: usize) -> &[Month] {
    let from = months.len().saturating_sub(count);
    months.get(from..).unwrap_or(months)
}

/// A month that is told of.
struct Told<'a> {
    terms: &'a Terms,
    live: &'a [&'a Transaction],
    substituted: &'a [Substituted],
    ends_on: Date,
}

impl Told<'_> {
    /// The month, as the loan stands on its last day.
    fn tell(&self, transactions: &[Transaction], is_last: bool) -> Result<Month, Broken> {
        let state = fold::run(self.terms, transactions, self.ends_on)?;
        let was_late = state
            .rows
            .iter()
            .any(|s| s.late.is_late && self.holds(s.row.cleared_on));
        let loan = state.into_loan()?;
        // What is due on the last day itself is overdue on the next.
        let overdue = loan.overdue()?.total()?;
        let code = if is_last {
            ended(&loan)?
        } else if let Some(by) = self.substitute() {
            by
        } else if self.is_charged_off() {
            MonthCode::BadDebt
        } else if loan.is_paused && overdue.is_positive() {
            MonthCode::Unknown
        } else if let Some(bracket) = Bracket::of(loan.days_past_due) {
            MonthCode::Overdue(bracket)
        } else if was_late {
            MonthCode::PaidLate
        } else if self.is_due(&loan)? {
            MonthCode::InTime
        } else {
            MonthCode::NothingDue
        };
        Ok(Month {
            ends_on: self.ends_on,
            code,
            overdue,
        })
    }

    /// Whether a day lies in the month.
    fn holds(&self, day: Option<Date>) -> bool {
        day.is_some_and(|day| self.ends_on.first_of_month() <= day && day <= self.ends_on)
    }

    /// Whether a row was due in the month that came to something.
    fn is_due(&self, loan: &Loan) -> Result<bool, OutOfRange> {
        for row in loan.rows.iter().filter(|row| self.holds(Some(row.due_on))) {
            if row.billed()?.total()?.is_positive() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How a payment of the month came, if not from the payer.
    fn substitute(&self) -> Option<MonthCode> {
        let mut of_month = self.live.iter().filter(|t| self.holds(Some(t.effective_on)));
        let by = of_month.find_map(|t| self.substituted.iter().find(|s| s.transaction == t.number))?;
        Some(match by.by {
            Substitute::Guarantor => MonthCode::ByGuarantor,
            Substitute::Goods => MonthCode::InGoods,
        })
    }

    /// Whether the loan was charged off by the end of the month.
    fn is_charged_off(&self) -> bool {
        self.live.iter().any(|t| {
            let by = Amendment::ChargedOff;
            t.effective_on <= self.ends_on && t.event == Event::Amended { by }
        })
    }
}

/// How a loan ended of which nothing is owed any more.
fn ended(loan: &Loan) -> Result<MonthCode, OutOfRange> {
    for row in &loan.rows {
        if row.paid()?.total()?.is_positive() {
            return Ok(MonthCode::PaidOff);
        }
    }
    Ok(MonthCode::Ended)
}

impl Bracket {
    /// The bracket of so many days past due; nothing for none.
    pub fn of(days: i64) -> Option<Bracket> {
        let before = days.checked_sub(1).filter(|before| *before >= 0)?;
        let step = before.checked_div(30)?.min(6);
        u8::try_from(step).ok()?.checked_add(1).map(Bracket)
    }

    /// 1 to 7.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl MonthCode {
    /// The letter of the report.
    pub const fn letter(self) -> char {
        match self {
            MonthCode::NothingDue => '*',
            MonthCode::InTime => 'N',
            MonthCode::PaidLate => 'M',
            MonthCode::Overdue(Bracket(1)) => '1',
            MonthCode::Overdue(Bracket(2)) => '2',
            MonthCode::Overdue(Bracket(3)) => '3',
            MonthCode::Overdue(Bracket(4)) => '4',
            MonthCode::Overdue(Bracket(5)) => '5',
            MonthCode::Overdue(Bracket(6)) => '6',
            MonthCode::Overdue(_) => '7',
            MonthCode::BadDebt => 'B',
            MonthCode::ByGuarantor => 'D',
            MonthCode::InGoods => 'Z',
            MonthCode::PaidOff => 'C',
            MonthCode::Ended => 'G',
            MonthCode::Unknown => '#',
        }
    }
}

impl fmt::Display for MonthCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter())
    }
}
