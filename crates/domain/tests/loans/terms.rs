//! Terms and transactions for the tests, built as a story is told.

use fenqi_domain::calendar::{DayCount, Roll};
use fenqi_domain::loan::{Event, Figures, Intent, Loan, Row, Transaction};
use fenqi_domain::money::{Amount, Currency, Rate, Remainder, Rounding};
use fenqi_domain::plan::{
    Component, Conventions, FeeTiming, LatePolicy, Prepayment, Pricing, RefundStrategy, Settlement, Terms,
    Waterfall,
};
use jiff::ToSpan;
use jiff::civil::{Date, date};

/// So many fen.
pub fn fen(minor: i64) -> Amount {
    Amount::from_minor(minor)
}

/// So many yuan.
pub fn yuan(major: i64) -> Amount {
    Amount::from_minor(major * 100)
}

/// A percentage.
pub fn percent(text: &str) -> Rate {
    Rate::from_percent(text).unwrap()
}

/// The day on which everything is signed: 5 January 2026.
pub fn signed() -> Date {
    date(2026, 1, 5)
}

/// The due date of an instalment.
pub fn due(number: i64) -> Date {
    signed().checked_add(number.months()).unwrap()
}

/// So many days after a date.
pub fn after(date: Date, days: i64) -> Date {
    date.checked_add(days.days()).unwrap()
}

/// The usual conventions: 24 % cap, no grace, 0.05 % a day, oldest first and 民法典 561.
pub fn conventions() -> Conventions {
    Conventions {
        rounding: Rounding::HalfUp,
        remainder: Remainder::First,
        roll: Roll::None,
        waterfall: Waterfall {
            order: Component::ALL.to_vec(),
            row_by_row: true,
        },
        late: LatePolicy {
            grace_days: 0,
            fee: Amount::ZERO,
            daily: percent("0.05"),
            from_due_date: true,
            annual_cap: percent("24"),
        },
        settlement: Settlement::WaiveUnaccrued,
        prepayment: Prepayment::ShorterTerm,
        refund: RefundStrategy::LastFirst,
        servicing: None,
    }
}

/// Terms of a pricing.
pub fn terms(pricing: Pricing, principal: Amount, count: i64) -> Terms {
    Terms {
        currency: Currency::Cny,
        principal,
        pricing,
        borne_by_seller: Rate::ZERO,
        signed_on: signed(),
        due_dates: (1..=count).map(due).collect(),
        conventions: conventions(),
    }
}

/// A flat fee of a total rate, with every instalment.
pub fn flat(total: &str) -> Pricing {
    Pricing::FlatFee {
        total_rate: percent(total),
        timing: FeeTiming::EveryPeriod,
        fee_rounding: Rounding::HalfEven,
    }
}

/// Level instalments at an annual rate.
pub fn annuity(annual: &str, day_count: DayCount) -> Pricing {
    Pricing::Annuity {
        annual: percent(annual),
        day_count,
    }
}

/// 1,200 yuan over 12 at a fee of 7.2 %: 100.00 and 7.20 a month.
pub fn phone() -> Terms {
    terms(flat("7.2"), yuan(1200), 12)
}

/// A life of a loan in the order of entry.
#[derive(Debug, Clone, Default)]
pub struct Life(pub Vec<Transaction>);

impl Life {
    /// Everything was captured on the day of signing.
    pub fn captured(terms: &Terms) -> Life {
        Life::default().then(
            signed(),
            Event::Disbursed {
                amount: terms.principal,
            },
        )
    }

    /// And then something happened.
    pub fn then(mut self, on: Date, event: Event) -> Life {
        let number = u32::try_from(self.0.len()).unwrap() + 1;
        self.0.push(Transaction {
            number,
            effective_on: on,
            event,
        });
        self
    }

    /// A payment of what is due.
    pub fn paid(self, on: Date, amount: Amount) -> Life {
        let intent = Intent::Due;
        self.then(on, Event::Repaid { amount, intent })
    }

    /// A payment to settle.
    pub fn settled(self, on: Date, amount: Amount) -> Life {
        let intent = Intent::Settle;
        self.then(on, Event::Repaid { amount, intent })
    }

    /// Goods went back, where the terms' strategy says.
    pub fn refunded(self, terms: &Terms, on: Date, amount: Amount) -> Life {
        self.then(
            on,
            Event::Refunded {
                amount,
                strategy: terms.conventions.refund,
                with_paid_fees: false,
            },
        )
    }

    /// The first instalments were paid on their due dates.
    pub fn paid_instalments(self, amount: Amount, count: i64) -> Life {
        (1..=count).fold(self, |life, n| life.paid(due(n), amount))
    }

    /// The loan on a day.
    pub fn fold(&self, terms: &Terms, as_of: Date) -> Loan {
        fenqi_domain::loan::fold(terms, &self.0, as_of).unwrap()
    }
}

/// What is open of each row: principal, interest, fee and penalty, in fen.
pub fn open(loan: &Loan) -> Vec<[i64; 4]> {
    loan.rows
        .iter()
        .map(|row| {
            let open = row.open().unwrap();
            [open.principal, open.interest, open.fee, open.penalty].map(Amount::minor)
        })
        .collect()
}

/// All four figures of a row.
pub fn figures(row: &Row) -> [Figures; 4] {
    [row.principal, row.interest, row.fee, row.penalty]
}
