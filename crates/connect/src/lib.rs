//! The outside parties of the sandbox (沙箱外部方): a bank channel, an identity check, a messenger, a credit bureau and
//! lenders, behind the same ports as real ones.
//!
//! They are a feature of the product: the demo, the stories and the tests all talk to them. They have no clock and no
//! randomness of their own: time comes with the calls, and everything they make up follows from one seed and the
//! caller's number, so that the same calls get the same answers in any order. They misbehave when [`SandboxControl`]
//! tells them to ([`script`]), and they count what they did, so that a test can see that nothing happened twice.

pub mod bank;
pub mod bureau;
mod control;
pub mod identity;
pub mod institution;
pub mod messages;
pub mod people;
pub mod script;
mod world;

pub use control::{SandboxControl, Unknown};

use fenqi_app::ports::{Institution, Parties};

use crate::institution::Standards;
use crate::world::Shared;

/// Makes the sandbox's parties.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Sandbox {
    /// The parties with the lenders of [`institution::published`], and the handle that tells them what to do.
    #[expect(
        clippy::new_ret_no_self,
        reason = "a sandbox is nothing but its parties and their handle"
    )]
    pub fn new(seed: u64) -> (Parties, SandboxControl) {
        Sandbox::with_lenders(seed, institution::published())
    }

    /// The parties with lenders of one's own.
    pub fn with_lenders(seed: u64, lenders: Vec<Standards>) -> (Parties, SandboxControl) {
        let shared = Shared::new(seed);
        let institutions = lenders
            .into_iter()
            .map(|standards| {
                let code = standards.code.clone();
                shared.lock().desks.entry(code.clone()).or_default();
                let lender = institution::SandboxLender::new(shared.clone(), standards);
                (code, Box::new(lender) as Box<dyn Institution>)
            })
            .collect();
        let parties = Parties {
            bank: Box::new(bank::SandboxBank::new(shared.clone())),
            identity: Box::new(identity::SandboxIdentity::new(shared.clone())),
            messages: Box::new(messages::SandboxMessenger::new(shared.clone())),
            bureau: Box::new(bureau::SandboxBureau::new(shared.clone())),
            institutions,
        };
        (parties, SandboxControl::new(shared))
    }
}
