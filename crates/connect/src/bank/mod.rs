//! The sandbox's bank channel (支付渠道): cards with balances, transfers that happen once, and a statement of its own.

mod transfers;

use std::collections::BTreeMap;

use fenqi_app::ports::{
    Bank, BoxFuture, CardAnswer, CardToBind, StatementLine, TransferOrder, TransferState, Unreachable,
};
use fenqi_domain::money::{Amount, Currency};
use jiff::civil::Date;

use crate::script::{Misbehaviour, Operation};
use crate::world::{Call, Shared};

pub use transfers::{BankNotice, Told};
pub(crate) use transfers::{Books, Direction};

/// The codes with which the channel refuses to move money (失败码).
pub const REFUSALS: [&str; 9] = [
    "insufficient_funds",
    "limit_exceeded",
    "card_expired",
    "card_frozen",
    "account_closed",
    "mandate_revoked",
    "rejected",
    "channel_down",
    "closed",
];

/// The codes with which the channel refuses to bind a card, besides those of the card itself.
pub const REJECTIONS: [&str; 3] = ["wrong_holder", "card_unknown", "card_unsupported"];

/// The tokens of cards that anybody may use, each for one behaviour: token, balance in fen, what it refuses with.
const PUBLIC_CARDS: [(&str, i64, Option<&str>); 5] = [
    ("tok_sandbox_good", 100_000_000, None),
    ("tok_sandbox_empty", 0, None),
    ("tok_sandbox_frozen", 100_000_000, Some("card_frozen")),
    ("tok_sandbox_expired", 100_000_000, Some("card_expired")),
    ("tok_sandbox_unsupported", 100_000_000, Some("card_unsupported")),
];

/// The bank channel.
pub struct SandboxBank {
    world: Shared,
}

impl SandboxBank {
    pub(crate) fn new(world: Shared) -> SandboxBank {
        {
            let mut locked = world.lock();
            for (token, balance, refuses_with) in PUBLIC_CARDS {
                let mut card = Card::new(Amount::from_minor(balance));
                card.refuses_with = refuses_with.map(str::to_owned);
                locked.bank.cards.insert(token.to_owned(), card);
            }
        }
        SandboxBank { world }
    }
}

/// A card at the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// What is on it.
    pub balance: Amount,
    /// In which currency.
    pub currency: Currency,
    /// Whose it is, by identity number; anybody's if nothing is said.
    pub holder: Option<String>,
    /// The phone that the bank knows; any if nothing is said.
    pub phone: Option<String>,
    /// The most that one debit may take.
    pub limit: Option<Amount>,
    /// With which code it refuses everything, if it does.
    pub refuses_with: Option<String>,
}

impl Card {
    /// A card with so much on it, in renminbi, that anybody may use.
    pub const fn new(balance: Amount) -> Card {
        Card {
            balance,
            currency: Currency::Cny,
            holder: None,
            phone: None,
            limit: None,
            refuses_with: None,
        }
    }

    /// The code with which it would not be bound to this person, if there is one.
    fn rejection(&self, asked: &CardToBind) -> Option<String> {
        // The channel compares the very data (四要素), so this is a place where it leaves its wrapper.
        let is_holder = self.holder.as_ref().is_none_or(|h| h == asked.id_number.reveal());
        let is_phone = self.phone.as_ref().is_none_or(|p| p == asked.phone.reveal());
        if !is_holder || !is_phone {
            Some("wrong_holder".to_owned())
        } else {
            self.refuses_with.clone()
        }
    }
}

/// The cards, by token.
pub(crate) type Cards = BTreeMap<String, Card>;

impl Bank for SandboxBank {
    fn bind<'a>(&'a self, asked: &'a CardToBind) -> BoxFuture<'a, Result<CardAnswer, Unreachable>> {
        Box::pin(async move {
            let call = Call {
                party: "bank",
                operation: Operation::Bind,
                key: &asked.token,
            };
            self.world.lock().call(call, |world, misbehaviour| {
                if let Some(Misbehaviour::Refused { code }) = misbehaviour {
                    return CardAnswer::Rejected { reason: code.clone() };
                }
                let rejection = match world.bank.cards.get(&asked.token) {
                    Some(card) => card.rejection(asked),
                    None => Some("card_unknown".to_owned()),
                };
                match rejection {
                    Some(reason) => CardAnswer::Rejected { reason },
                    None => CardAnswer::Bound {
                        bank: "沙箱银行".to_owned(),
                        last4: world.last_four(&asked.token),
                    },
                }
            })
        })
    }

    fn debit<'a>(&'a self, order: &'a TransferOrder) -> BoxFuture<'a, Result<TransferState, Unreachable>> {
        Box::pin(async move { self.transfer(Operation::Debit, Direction::In, order) })
    }

    fn pay_out<'a>(&'a self, order: &'a TransferOrder) -> BoxFuture<'a, Result<TransferState, Unreachable>> {
        Box::pin(async move { self.transfer(Operation::PayOut, Direction::Out, order) })
    }

    fn ask<'a>(&'a self, number: &'a str) -> BoxFuture<'a, Result<TransferState, Unreachable>> {
        Box::pin(async move {
            let call = Call {
                party: "bank",
                operation: Operation::Ask,
                key: number,
            };
            self.world
                .lock()
                .call(call, |world, _| world.ask_transfer(number))
        })
    }

    fn close<'a>(&'a self, number: &'a str) -> BoxFuture<'a, Result<TransferState, Unreachable>> {
        Box::pin(async move {
            let call = Call {
                party: "bank",
                operation: Operation::Close,
                key: number,
            };
            self.world
                .lock()
                .call(call, |world, _| world.close_transfer(number))
        })
    }

    fn statement<'a>(&'a self, day: Date) -> BoxFuture<'a, Result<Vec<StatementLine>, Unreachable>> {
        Box::pin(async move {
            let key = day.to_string();
            let call = Call {
                party: "bank",
                operation: Operation::Statement,
                key: &key,
            };
            self.world.lock().call(call, |world, _| world.bank_statement(day))
        })
    }
}

impl SandboxBank {
    fn transfer(
        &self,
        operation: Operation,
        direction: Direction,
        order: &TransferOrder,
    ) -> Result<TransferState, Unreachable> {
        let call = Call {
            party: "bank",
            operation,
            key: &order.number,
        };
        self.world.lock().call(call, |world, misbehaviour| {
            world.begin_transfer(direction, order, misbehaviour)
        })
    }
}
