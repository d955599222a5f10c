//! Transfers (收付): each number moves money at most once, whatever is sent, lost, asked or repeated.

use std::collections::BTreeMap;

use fenqi_app::ports::{StatementLine, TransferOrder, TransferState};
use fenqi_domain::money::{Amount, OutOfRange};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Card, Cards};
use crate::script::{Lasting, Misbehaviour};
use crate::world::{World, mix};

/// Which way money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From a card to the platform.
    In,
    /// From the platform to a card.
    Out,
}

/// What the bank keeps.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) cards: Cards,
    transfers: BTreeMap<String, Transfer>,
    /// Lines that answer to no transfer of ours.
    pub(crate) foreign: Vec<StatementLine>,
    /// Notices that were not fetched yet, and from when on they go out if not at once.
    notices: Vec<(Option<Timestamp>, BankNotice)>,
}

/// A notice of the bank about a transfer that ended (异步通知).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankNotice {
    /// The notice's own number; a duplicate has the same.
    pub id: String,
    /// The transfer's number.
    pub number: String,
    /// What it tells.
    pub tells: Told,
}

/// What a notice tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// How the transfer ended.
    Ended(TransferState),
    /// It had succeeded, and the bank took the money back (退票).
    TakenBack {
        /// When.
        at: Timestamp,
    },
}

/// A transfer under one number.
#[derive(Debug)]
struct Transfer {
    order: TransferOrder,
    direction: Direction,
    phase: Phase,
    /// A failure that is told for a while although the money moved.
    pretence: Option<(String, Lasting)>,
    line: LineFault,
    is_notified_twice: bool,
    /// How often money moved under this number.
    effects: u32,
    /// When the bank took the money back, if it did.
    taken_back: Option<Timestamp>,
}

/// How a transfer really stands.
#[derive(Debug)]
enum Phase {
    /// The request is still on its way and nobody at the bank knows of it.
    Travelling(Lasting),
    /// Being worked on.
    Waiting(Lasting),
    /// The money moved.
    Done {
        reference: String,
        /// When it was taken, for who paid.
        at: Timestamp,
        /// The day on which it stands in the statement: no day is written again once it is over.
        booked_on: Date,
    },
    /// It did not and will not.
    Failed { code: String },
}

/// What is wrong with its line in the statement.
#[derive(Debug)]
enum LineFault {
    None,
    Missing,
    Differs(Amount),
}

impl World {
    /// Takes an order. A number that is known already stands as it stands, whatever the order says.
    pub(crate) fn begin_transfer(
        &mut self,
        direction: Direction,
        order: &TransferOrder,
        misbehaviour: Option<&Misbehaviour>,
    ) -> TransferState {
        self.at(order.at);
        if !self.bank.transfers.contains_key(&order.number) {
            let transfer = Transfer::new(direction, order, misbehaviour);
            self.bank.transfers.insert(order.number.clone(), transfer);
            if let Some(Misbehaviour::Refused { code }) = misbehaviour {
                self.fail(&order.number, code);
            }
        }
        self.progress(&order.number);
        self.answer(&order.number, false)
    }

    /// How a transfer stands; being asked is what moves a waiting one on.
    pub(crate) fn ask_transfer(&mut self, number: &str) -> TransferState {
        let now = self.now;
        let Some(transfer) = self.bank.transfers.get_mut(number) else {
            return TransferState::NotFound;
        };
        let (lasting, meanwhile) = match &mut transfer.phase {
            Phase::Travelling(lasting) => (lasting, TransferState::NotFound),
            Phase::Waiting(lasting) => (lasting, TransferState::Pending),
            Phase::Done { .. } | Phase::Failed { .. } => return self.answer(number, true),
        };
        if lasting.holds(now, true) {
            return meanwhile;
        }
        self.carry_out(number);
        self.answer(number, true)
    }

    /// Closes a transfer: one that has not succeeded never will, not even if its request arrives later.
    pub(crate) fn close_transfer(&mut self, number: &str) -> TransferState {
        self.progress(number);
        match self.bank.transfers.get(number).map(|t| &t.phase) {
            Some(Phase::Done { reference, at, .. }) => TransferState::Succeeded {
                reference: reference.clone(),
                at: *at,
            },
            Some(Phase::Failed { code }) => TransferState::Failed { code: code.clone() },
            Some(_) => {
                self.fail(number, "closed");
                self.answer(number, false)
            }
            None => {
                self.bank
                    .transfers
                    .insert(number.to_owned(), Transfer::closed_unseen(number, self.now));
                self.answer(number, false)
            }
        }
    }

    /// The lines of one day, by reference.
    pub(crate) fn bank_statement(&mut self, day: Date) -> Vec<StatementLine> {
        let numbers: Vec<String> = self.bank.transfers.keys().cloned().collect();
        numbers.iter().for_each(|number| self.progress(number));
        let mut lines: Vec<StatementLine> = self
            .bank
            .transfers
            .values()
            .flat_map(|transfer| transfer.line().into_iter().chain(transfer.line_back()))
            .chain(self.bank.foreign.iter().cloned())
            .filter(|line| line.on == day)
            .collect();
        lines.sort_by(|a, b| a.reference.cmp(&b.reference));
        lines
    }

    /// Takes a debit back that had succeeded: the card has its money again, and a notice says so. Whether it was there to
    /// be taken back; a second time it is not.
    pub(crate) fn take_back(&mut self, number: &str, at: Timestamp) -> bool {
        self.at(at);
        let id = format!("R{}", self.reference("", number));
        let Some(transfer) = self.bank.transfers.get_mut(number) else {
            return false;
        };
        let is_there = matches!(transfer.phase, Phase::Done { .. })
            && transfer.direction == Direction::In
            && transfer.taken_back.is_none();
        if !is_there {
            return false;
        }
        transfer.taken_back = Some(at);
        if let Some(card) = self.bank.cards.get_mut(&transfer.order.token) {
            card.balance = card
                .balance
                .plus(transfer.order.money.amount)
                .unwrap_or(card.balance);
        }
        let notice = BankNotice {
            id,
            number: number.to_owned(),
            tells: Told::TakenBack { at },
        };
        self.bank.notices.push((None, notice));
        true
    }

    /// How often money moved under a number: never more than once.
    pub(crate) fn effects(&self, number: &str) -> u32 {
        self.bank.transfers.get(number).map_or(0, |t| t.effects)
    }

    /// Every number under which money moved, with how often.
    pub(crate) fn all_effects(&self) -> Vec<(String, u32)> {
        let all = self.bank.transfers.iter();
        all.filter(|(_, t)| t.effects > 0)
            .map(|(number, t)| (number.clone(), t.effects))
            .collect()
    }

    /// The four digits that a token's card shows: its own if it ends in four, else made up from the seed.
    pub(crate) fn last_four(&self, token: &str) -> String {
        let digits: String = token.chars().rev().take_while(char::is_ascii_digit).collect();
        if digits.len() >= 4 {
            digits
                .chars()
                .take(4)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect()
        } else {
            format!("{:04}", mix(0, token) % 10_000)
        }
    }

    /// Carries a transfer out whose time has come.
    fn progress(&mut self, number: &str) {
        let now = self.now;
        if let Some(transfer) = self.bank.transfers.get_mut(number)
            && let Phase::Waiting(lasting) = &mut transfer.phase
            && !lasting.holds(now, false)
        {
            self.carry_out(number);
        }
    }

    /// Moves the money, or finds that it cannot.
    fn carry_out(&mut self, number: &str) {
        let reference = self.reference("B", number);
        let Some(transfer) = self.bank.transfers.get_mut(number) else {
            return;
        };
        let ordered_at = transfer.order.at;
        // What waits for a time is done at that time, whenever somebody asks; anything else when it is found to be done.
        let (at, booked_at) = match transfer.phase {
            Phase::Waiting(Lasting::Until(at)) => (at.max(ordered_at), at.max(ordered_at)),
            _ => (ordered_at, self.now.map_or(ordered_at, |now| now.max(ordered_at))),
        };
        let moved = match self.bank.cards.get_mut(&transfer.order.token) {
            Some(card) => move_money(card, transfer.direction, &transfer.order),
            None => Err("account_closed".to_owned()),
        };
        match moved {
            Ok(()) => {
                transfer.effects += 1;
                let booked_on = booking_day(booked_at);
                transfer.phase = Phase::Done {
                    reference,
                    at,
                    booked_on,
                };
                self.notify(number);
            }
            Err(code) => self.fail(number, &code),
        }
    }

    fn fail(&mut self, number: &str, code: &str) {
        if let Some(transfer) = self.bank.transfers.get_mut(number) {
            transfer.phase = Phase::Failed {
                code: code.to_owned(),
            };
            transfer.pretence = None;
        }
        self.notify(number);
    }

    /// Queues the notice of a transfer that ended: of the truth, which may be ahead of what asks are told, but not of the
    /// time until when it is kept back.
    fn notify(&mut self, number: &str) {
        let Some(transfer) = self.bank.transfers.get(number) else {
            return;
        };
        let notice = BankNotice {
            id: format!("N{}", self.reference("", number)),
            number: number.to_owned(),
            tells: Told::Ended(transfer.truth()),
        };
        let from = match &transfer.pretence {
            Some((_, Lasting::Until(at))) => Some(*at),
            _ => None,
        };
        let copies = if transfer.is_notified_twice { 2 } else { 1 };
        let notices = std::iter::repeat_n((from, notice), copies);
        self.bank.notices.extend(notices);
    }

    /// Hands over the notices whose time has come, in the order in which they were made.
    pub(crate) fn take_notices(&mut self) -> Vec<BankNotice> {
        let now = self.now;
        let all = std::mem::take(&mut self.bank.notices);
        let is_kept = |from: &Option<Timestamp>| from.is_some_and(|at| now.is_none_or(|now| now < at));
        let (kept, out): (Vec<_>, Vec<_>) = all.into_iter().partition(|(from, _)| is_kept(from));
        self.bank.notices = kept;
        out.into_iter().map(|(_, notice)| notice).collect()
    }

    /// What the bank says of a transfer now.
    fn answer(&mut self, number: &str, is_ask: bool) -> TransferState {
        let now = self.now;
        let Some(transfer) = self.bank.transfers.get_mut(number) else {
            return TransferState::NotFound;
        };
        if let Some((code, lasting)) = &mut transfer.pretence
            && lasting.holds(now, is_ask)
        {
            return TransferState::Failed { code: code.clone() };
        }
        transfer.truth()
    }
}

impl Transfer {
    fn new(direction: Direction, order: &TransferOrder, misbehaviour: Option<&Misbehaviour>) -> Transfer {
        let phase = match misbehaviour {
            Some(Misbehaviour::Pending(lasting)) => Phase::Waiting(*lasting),
            Some(Misbehaviour::NotFoundFirst(lasting)) => Phase::Travelling(*lasting),
            _ => Phase::Waiting(Lasting::Asks(0)),
        };
        let pretence = match misbehaviour {
            Some(Misbehaviour::SuccessAfterFailure { code, lasting }) => Some((code.clone(), *lasting)),
            _ => None,
        };
        let line = match misbehaviour {
            Some(Misbehaviour::LineMissing) => LineFault::Missing,
            Some(Misbehaviour::LineDiffers { by }) => LineFault::Differs(*by),
            _ => LineFault::None,
        };
        Transfer {
            order: order.clone(),
            direction,
            phase,
            pretence,
            line,
            is_notified_twice: matches!(misbehaviour, Some(Misbehaviour::DuplicateNotice)),
            effects: 0,
            taken_back: None,
        }
    }

    /// A number that was closed before its request arrived.
    fn closed_unseen(number: &str, now: Option<Timestamp>) -> Transfer {
        let order = TransferOrder {
            number: number.to_owned(),
            token: String::new(),
            money: fenqi_domain::money::Money {
                amount: Amount::ZERO,
                currency: fenqi_domain::money::Currency::Cny,
            },
            at: now.unwrap_or(Timestamp::UNIX_EPOCH),
        };
        Transfer {
            phase: Phase::Failed {
                code: "closed".to_owned(),
            },
            ..Transfer::new(Direction::In, &order, None)
        }
    }

    fn truth(&self) -> TransferState {
        match &self.phase {
            Phase::Travelling(_) => TransferState::NotFound,
            Phase::Waiting(_) => TransferState::Pending,
            Phase::Done { reference, at, .. } => TransferState::Succeeded {
                reference: reference.clone(),
                at: *at,
            },
            Phase::Failed { code } => TransferState::Failed { code: code.clone() },
        }
    }

    /// The line of its being taken back, if it was.
    fn line_back(&self) -> Option<StatementLine> {
        let (Phase::Done { reference, .. }, Some(at)) = (&self.phase, self.taken_back) else {
            return None;
        };
        Some(StatementLine {
            reference: format!("{reference}R"),
            number: self.order.number.clone(),
            on: booking_day(at),
            amount: Amount::ZERO.minus(self.order.money.amount).ok()?,
        })
    }

    /// Its line in the statement, if money moved and the line is not left out.
    fn line(&self) -> Option<StatementLine> {
        let Phase::Done {
            reference, booked_on, ..
        } = &self.phase
        else {
            return None;
        };
        let amount = match self.direction {
            Direction::In => self.order.money.amount,
            Direction::Out => Amount::ZERO.minus(self.order.money.amount).ok()?,
        };
        let amount = match self.line {
            LineFault::Missing => return None,
            LineFault::Differs(by) => amount.plus(by).ok()?,
            LineFault::None => amount,
        };
        Some(StatementLine {
            reference: reference.clone(),
            number: self.order.number.clone(),
            on: *booked_on,
            amount,
        })
    }
}

/// The bank's day of an instant. It is a bank in China, which has had one offset since 1992.
pub(crate) fn booking_day(at: Timestamp) -> Date {
    jiff::tz::offset(8).to_datetime(at).date()
}

/// Takes from or adds to a card, or says with which code it refuses.
fn move_money(card: &mut Card, direction: Direction, order: &TransferOrder) -> Result<(), String> {
    let amount = order.money.amount;
    if card.currency != order.money.currency {
        return Err("rejected".to_owned());
    }
    if let Some(code) = &card.refuses_with {
        return Err(code.clone());
    }
    let overflow = |_: OutOfRange| "limit_exceeded".to_owned();
    match direction {
        Direction::Out => card.balance = card.balance.plus(amount).map_err(overflow)?,
        Direction::In if card.limit.is_some_and(|limit| amount > limit) => {
            return Err("limit_exceeded".to_owned());
        }
        Direction::In if amount > card.balance => return Err("insufficient_funds".to_owned()),
        Direction::In => card.balance = card.balance.minus(amount).map_err(overflow)?,
    }
    Ok(())
}
