//! What the tests of the sandbox share.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use fenqi_app::ports::TransferOrder;
use fenqi_domain::money::{Amount, Currency, Money};
use jiff::Timestamp;

/// Runs a future that never waits: the sandbox answers at once.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the sandbox waited for something"),
    }
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn yuan(yuan: i64) -> Amount {
    Amount::from_minor(yuan * 100)
}

pub const ANN: &str = "11010519491231002X";

pub fn order(number: &str, token: &str, amount: i64) -> TransferOrder {
    TransferOrder {
        number: number.to_owned(),
        token: token.to_owned(),
        money: Money {
            amount: yuan(amount),
            currency: Currency::Cny,
        },
        at: at("2025-02-05T02:00:00Z"),
    }
}
