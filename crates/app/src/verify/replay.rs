//! The events of an agreement played again (I8, I11): each step must be one that its stage allows, each tells of the
//! transactions that are there, and the end is how the agreement stands.

use fenqi_domain::agreement::{Capture, Funding, Stage};
use fenqi_domain::id::{AgreementId, PaymentId, RefundId};
use fenqi_domain::loan::{Event, Transaction};
use fenqi_domain::money::Amount;
use fenqi_store::tables::agreements::{self, AgreementFile, StoredEvent};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::App;
use crate::outcome::Denied;
use crate::verify::Found;
use crate::verify::told::{Arranged, Told};

/// What the events of agreements say of payments and refunds.
#[derive(Default)]
pub(super) struct Heard {
    /// Money that a payment moved: the transaction that it became, how much, and the day on which it counts.
    pub moved: Vec<(PaymentId, AgreementId, u32, Amount, Date)>,
    /// Transactions of payments that were taken back.
    pub reversed: Vec<(PaymentId, AgreementId, u32)>,
    /// Refunds.
    pub refunds: Vec<(AgreementId, RefundId, Amount)>,
}

/// Plays the events of an agreement against what is stored of it.
pub(super) fn check(
    app: &App,
    file: &AgreementFile,
    events: &[StoredEvent],
    heard: &mut Heard,
    found: &mut Found,
) -> Result<(), Denied> {
    let mut play = Play {
        app,
        file,
        transactions: file.transactions.iter().peekable(),
        held: Amount::ZERO,
        captures: Vec::new(),
        heard,
        found,
    };
    for event in events {
        let step = match Told::read(event) {
            Ok(told) => play.step(event, told)?,
            Err(what) => Err(what.to_owned()),
        };
        if let Err(expected) = step {
            let place = format!("{} event {}", file.agreement.id, event.sequence);
            let stored = format!("{} {}", event.kind, event.detail);
            play.found.note("I8", &place, &expected, &stored);
            // What follows is told by a story that this event is no part of.
            return Ok(());
        }
    }
    play.end();
    Ok(())
}

/// A story that is being played.
struct Play<'a> {
    app: &'a App,
    file: &'a AgreementFile,
    transactions: std::iter::Peekable<std::slice::Iter<'a, Transaction>>,
    held: Amount,
    captures: Vec<Capture>,
    heard: &'a mut Heard,
    found: &'a mut Found,
}

/// A step that fits, or what it should be.
type Step = Result<(), String>;

impl Play<'_> {
    // Long because: one arm for each kind of event, side by side, is how the closed list is read.
    fn step(&mut self, event: &StoredEvent, told: Told) -> Result<Step, Denied> {
        let agreement = &self.file.agreement;
        let day = self.app.day_of(event.at);
        let is_first = event.sequence == 1;
        if is_first != matches!(told, Told::Confirmed(_)) {
            return Ok(Err("the confirmation first, and once".into()));
        }
        Ok(match told {
            Told::Confirmed(confirmed) => {
                self.held = confirmed.held;
                let (first_due, principal) = (agreement.terms.due_dates.first(), agreement.terms.principal);
                let fits = confirmed.agreement == agreement.id
                    && confirmed.held == principal
                    && confirmed.first_due.as_ref() == first_due
                    && holds_until(&agreement.stage).is_none_or(|at| confirmed.expires_at == at);
                expect(fits, || {
                    format!("{} held, first due {first_due:?}", principal.minor())
                })
            }
            Told::Captured(captured) => {
                let rest = self.held.minus(captured.amount)?;
                self.captures.push(Capture {
                    number: u32::try_from(self.captures.len())
                        .unwrap_or(u32::MAX)
                        .saturating_add(1),
                    amount: captured.amount,
                    on: day,
                    funding: Funding::Waiting,
                });
                // What will not ship any more is let go in the same step.
                let fits = captured.held == rest || captured.held.is_zero();
                self.held = captured.held;
                let amount = captured.amount;
                expect(fits && !rest.is_negative(), || format!("{} held", rest.minor()))
                    .and_then(|()| self.next(day, &Event::Disbursed { amount }).map(|_| ()))
            }
            Told::LetGo(released) => {
                let held = std::mem::take(&mut self.held);
                expect(released.released == held && held.is_positive(), || {
                    format!("{} released", held.minor())
                })
            }
            Told::Funding(captures) => self.funding(captures),
            Told::Aged(on) => expect(on == day && !self.captures.is_empty(), || {
                format!("{day} of a loan")
            }),
            Told::Moved { money, is_in } => {
                let kind = if is_in { "repaid" } else { "paid_out" };
                self.like(kind, Some(money.amount), Some(money.on)).map(|number| {
                    let moved = (money.payment, agreement.id, number, money.amount, money.on);
                    self.heard.moved.push(moved);
                })
            }
            Told::Reversed(back) => {
                let of = back.transaction;
                let reversed = (back.payment, agreement.id, of);
                self.heard.reversed.push(reversed);
                self.next(day, &Event::Reversed { of }).map(|_| ())
            }
            Told::Return { view, event } => {
                let known = view.amount.is_positive();
                expect(known, || "a return of something".into())
                    .and_then(|()| self.next(day, &event).map(|_| ()))
            }
            Told::Refunded(refunded) => {
                // A refund that ends a return lets go on what the return had paused; one without a return does not.
                if self
                    .transactions
                    .peek()
                    .is_some_and(|t| t.event == Event::Resumed)
                {
                    self.transactions.next();
                }
                let refund = (agreement.id, refunded.refund, refunded.amount);
                self.heard.refunds.push(refund);
                self.like("refunded", Some(refunded.amount), Some(day))
                    .map(|_| ())
            }
            Told::Entered { entered, kind } => {
                let amount = Some(entered.amount).filter(|_| kind != "reversed");
                self.like(kind, amount, None)
                    .and_then(|number| expect(number == entered.number, || format!("transaction {number}")))
            }
            Told::Arranged(arranged) => self.arranged(&arranged, day),
            Told::Excused(days) => {
                let (from, until) = (days.from, days.until);
                self.next(day, &Event::Excused { from, until }).map(|_| ())
            }
        })
    }

    /// The captures of a funding event are those so far; how each is funded is what the event tells.
    fn funding(&mut self, captures: Vec<Capture>) -> Step {
        let plain = |captures: &[Capture]| -> Vec<(u32, Amount, Date)> {
            captures.iter().map(|c| (c.number, c.amount, c.on)).collect()
        };
        let known = plain(&self.captures);
        if plain(&captures) != known {
            return Err(format!("the captures {known:?}"));
        }
        let backwards = |(was, is): (&Capture, &Capture)| rank(&is.funding) < rank(&was.funding);
        if self.captures.iter().zip(&captures).any(backwards) || captures == self.captures {
            return Err("a step of a funding that leads on".into());
        }
        self.captures = captures;
        Ok(())
    }

    fn arranged(&mut self, arranged: &Arranged, day: Date) -> Step {
        if arranged.defer_days == 0 && !arranged.waived.is_positive() {
            return Err("something that was arranged".into());
        }
        if arranged.defer_days > 0 {
            let days = arranged.defer_days;
            self.next(day, &Event::Deferred { days })?;
        }
        if arranged.waived.is_positive() {
            self.like("waived", Some(arranged.waived), Some(day))?;
        }
        Ok(())
    }

    /// The next transaction, which must be this one; gives its number.
    fn next(&mut self, on: Date, event: &Event) -> Result<u32, String> {
        match self.transactions.next() {
            Some(t) if t.event == *event && t.effective_on == on => Ok(t.number),
            other => Err(format!("beside transaction {}", shown(other))),
        }
    }

    /// The next transaction, which must be of this kind, amount and day, as far as they are known; gives its number.
    fn like(&mut self, kind: &str, amount: Option<Amount>, on: Option<Date>) -> Result<u32, String> {
        match self.transactions.next() {
            Some(t)
                if agreements::kind(&t.event) == kind
                    && amount.is_none_or(|amount| agreements::amount(&t.event) == amount)
                    && on.is_none_or(|on| t.effective_on == on) =>
            {
                Ok(t.number)
            }
            other => Err(format!("beside transaction {}", shown(other))),
        }
    }

    /// I8: no transaction is left without an event. I11: where the story ends the agreement stands.
    fn end(self) {
        let agreement = &self.file.agreement;
        let subject = agreement.id.to_string();
        let rest = self.transactions.count();
        self.found
            .compare("I8", &format!("{subject} transactions without an event"), 0, rest);
        let held = agreement.held().minor();
        self.found.compare(
            "I11",
            &format!("{subject} held by its events"),
            self.held.minor(),
            held,
        );
        let expected = match (self.captures.is_empty(), self.held.is_positive()) {
            (true, true) => "confirmed",
            (true, false) => "cancelled",
            (false, _) => "lent",
        };
        let stored = match &agreement.stage {
            Stage::Active { .. } | Stage::Settled { .. } => "lent",
            other => other.code(),
        };
        self.found
            .compare("I11", &format!("{subject} stage by its events"), expected, stored);
        if self.captures != agreement.captures() {
            let (told, stored) = (listed(&self.captures), listed(agreement.captures()));
            self.found
                .note("I11", &format!("{subject} captures"), &told, &stored);
        }
    }
}

/// Until when something is held, while it is.
fn holds_until(stage: &Stage) -> Option<Timestamp> {
    match stage {
        Stage::Confirmed { expires_at, .. } => Some(*expires_at),
        Stage::Active { held, expires_at, .. } => Some(*expires_at).filter(|_| held.is_positive()),
        Stage::Settled { .. } | Stage::Cancelled { .. } => None,
    }
}

fn expect(fits: bool, what: impl FnOnce() -> String) -> Step {
    if fits { Ok(()) } else { Err(what()) }
}

/// How far a funding is: a payment that was declined first and made later was made.
fn rank(funding: &Funding) -> u8 {
    match funding {
        Funding::Waiting => 0,
        Funding::Asked { .. } => 1,
        Funding::Declined { .. } => 2,
        Funding::Funded { .. } => 3,
    }
}

fn listed(captures: &[Capture]) -> String {
    serde_json::to_string(captures).unwrap_or_default()
}

fn shown(transaction: Option<&Transaction>) -> String {
    transaction.map_or("none".to_owned(), |t| {
        format!("{} of {}: {:?}", t.number, t.effective_on, t.event)
    })
}
