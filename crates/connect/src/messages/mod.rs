//! The sandbox's messenger (消息通道): it delivers nothing and keeps everything, so that one can read what people got.

use std::collections::BTreeSet;

use fenqi_app::ports::{BoxFuture, Messenger, OutgoingMessage, Unreachable};
use jiff::Timestamp;

use crate::script::Operation;
use crate::world::{Call, Shared};

/// The messenger.
pub struct SandboxMessenger {
    world: Shared,
}

impl SandboxMessenger {
    pub(crate) fn new(world: Shared) -> SandboxMessenger {
        SandboxMessenger { world }
    }
}

/// A message that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The sender's number.
    pub number: String,
    /// `sms`, `push`, `email` or `in_app`.
    pub channel: String,
    /// At whom.
    pub to: String,
    /// What it says.
    pub text: String,
    /// The business time at which it arrived, if any was told yet.
    pub at: Option<Timestamp>,
}

/// What arrived, in order, and the numbers of it.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) delivered: Vec<Delivered>,
    numbers: BTreeSet<String>,
}

impl Messenger for SandboxMessenger {
    fn send<'a>(&'a self, message: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), Unreachable>> {
        Box::pin(async move {
            let call = Call {
                party: "messages",
                operation: Operation::Send,
                key: &message.number,
            };
            self.world.lock().call(call, |world, _| {
                let at = world.now;
                if world.outbox.numbers.insert(message.number.clone()) {
                    world.outbox.delivered.push(Delivered {
                        number: message.number.clone(),
                        channel: message.channel.clone(),
                        // The messenger must know where to; it is a place where the address leaves its wrapper.
                        to: message.to.reveal().clone(),
                        text: message.text.clone(),
                        at,
                    });
                }
            })
        })
    }
}
