//! One period of a loan whose interest follows the balance, cut into spans of one balance and one rate.

use alloc::vec;
use alloc::vec::Vec;

use jiff::civil::Date;

use crate::money::{Amount, OutOfRange};

/// Days with one balance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    /// The evening on which it begins.
    pub from: Date,
    /// The evening on which it ends.
    pub until: Date,
    /// What was lent when it ended.
    pub lent: Amount,
    /// What else changed the balance when it ended.
    pub corrected: Amount,
    /// Its balance.
    pub balance: Amount,
}

/// One period, with what its row owes.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    /// The due date before it, or the day from which interest counts.
    pub from: Date,
    /// Its due date.
    pub until: Date,
    /// The instalment.
    pub instalment: Amount,
    /// The level payment; what is lent later is added to it.
    pub level: Amount,
    /// How often instalments had been made level when its own was, where somebody asks why.
    pub made: usize,
    /// Principal paid on it.
    pub paid_principal: Amount,
    /// Interest paid on it.
    pub paid_interest: Amount,
    /// Its interest as reckoned, with what the period before could not take.
    pub reckoned: Amount,
    /// Its interest as due.
    pub interest: Amount,
    /// Its principal as due.
    pub principal: Amount,
    /// Principal that came to be owed again in it.
    pub credited: Amount,
    /// What of it other periods were paid for, where only interest is due in this one.
    pub passed_on: Amount,
    /// Interest that it does not pass on to the next, as it is owed elsewhere.
    pub released: Amount,
    /// Whether only interest is due in it.
    pub is_free: bool,
    /// Whether its interest is put off.
    pub puts_off: bool,
    pub stretches: Vec<Stretch>,
}

impl Term {
    /// A period in which nothing is outstanding yet.
    pub fn new(from: Date, until: Date) -> Term {
        Term {
            from,
            until,
            instalment: Amount::ZERO,
            level: Amount::ZERO,
            made: 0,
            paid_principal: Amount::ZERO,
            paid_interest: Amount::ZERO,
            reckoned: Amount::ZERO,
            interest: Amount::ZERO,
            principal: Amount::ZERO,
            credited: Amount::ZERO,
            passed_on: Amount::ZERO,
            released: Amount::ZERO,
            is_free: false,
            puts_off: false,
            stretches: vec![Stretch {
                from,
                until,
                lent: Amount::ZERO,
                corrected: Amount::ZERO,
                balance: Amount::ZERO,
            }],
        }
    }

    /// Lets it be as if nothing had been lent or paid.
    pub fn clear(&mut self) {
        self.paid_principal = Amount::ZERO;
        self.paid_interest = Amount::ZERO;
        (self.credited, self.passed_on) = (Amount::ZERO, Amount::ZERO);
        (self.level, self.instalment) = (Amount::ZERO, Amount::ZERO);
        self.released = Amount::ZERO;
        for stretch in &mut self.stretches {
            (stretch.lent, stretch.corrected) = (Amount::ZERO, Amount::ZERO);
        }
    }

    /// Makes its instalment so high, with what came to be owed again in it, unless more was paid.
    pub fn level_at(&mut self, level: Amount) -> Result<bool, OutOfRange> {
        let instalment = level.plus(self.credited)?;
        let takes = instalment >= self.paid()?;
        if takes {
            (self.level, self.instalment) = (level, instalment);
        }
        Ok(takes)
    }

    /// Its instalment without what came to be owed again in it.
    pub fn own(&self) -> Result<Amount, OutOfRange> {
        self.instalment.minus(self.credited)
    }

    /// What was paid on it.
    pub fn paid(&self) -> Result<Amount, OutOfRange> {
        self.paid_principal.plus(self.paid_interest)
    }

    /// Splits the instalment: interest first, and never less than what was paid of each. Where principal was paid beyond
    /// its share, what was paid of interest is all there is.
    pub fn reckon(&mut self, interest: Amount) -> Result<(), OutOfRange> {
        self.reckoned = interest;
        let is_paid_up = self.paid_principal > self.instalment.minus(interest)?;
        let due = if is_paid_up || self.puts_off {
            self.paid_interest
        } else {
            interest
        };
        self.interest = due.max(self.paid_interest);
        self.principal = self.instalment.minus(self.interest)?.max(self.paid_principal);
        Ok(())
    }

    /// Drops what lies after a day.
    pub fn cut(&mut self, day: Date) {
        for stretch in &mut self.stretches {
            if stretch.until > day {
                stretch.until = day.max(stretch.from);
            }
        }
    }
}
