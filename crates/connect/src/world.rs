//! What the parties of one sandbox share: the script, the table of people, the seed and the business time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fenqi_app::ports::Unreachable;
use jiff::Timestamp;

use crate::bank::Books;
use crate::bureau::Files;
use crate::institution::Desk;
use crate::messages::Outbox;
use crate::people::People;
use crate::script::{Misbehaviour, Operation, Script};

/// The one state that all parties and handles of a sandbox look at.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(crate) fn new(seed: u64) -> Shared {
        Shared(Arc::new(Mutex::new(World {
            seed,
            now: None,
            script: Script::default(),
            people: People::default(),
            bank: Books::default(),
            bureau: Files::default(),
            outbox: Outbox::default(),
            desks: BTreeMap::new(),
            seen: BTreeMap::new(),
        })))
    }

    /// The state, for as long as nothing is awaited. A caller that panicked left it whole: every change is one statement.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state.
pub(crate) struct World {
    seed: u64,
    /// The latest business time that a call carried or the handle told.
    pub(crate) now: Option<Timestamp>,
    pub(crate) script: Script,
    pub(crate) people: People,
    pub(crate) bank: Books,
    pub(crate) bureau: Files,
    pub(crate) outbox: Outbox,
    pub(crate) desks: BTreeMap<String, Desk>,
    /// How often each call was made, so that a call that is tried again may go better by the same seed.
    seen: BTreeMap<String, u64>,
}

/// Who is called, what for, and under which number.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) party: &'a str,
    pub(crate) operation: Operation,
    pub(crate) key: &'a str,
}

impl World {
    /// Makes a call go as the script says: lost before, carried out, carried out twice, or lost after. The effect is told
    /// of the other misbehaviours, which are its own business.
    pub(crate) fn call<T>(
        &mut self,
        call: Call<'_>,
        mut effect: impl FnMut(&mut World, Option<&Misbehaviour>) -> T,
    ) -> Result<T, Unreachable> {
        match self.misbehaviour(call) {
            Some(Misbehaviour::LostRequest) => Err(unreachable("no connection")),
            Some(Misbehaviour::LostReply) => {
                effect(self, None);
                Err(unreachable("no answer in time"))
            }
            Some(Misbehaviour::Repeated) => {
                effect(self, None);
                Ok(effect(self, None))
            }
            Some(other @ Misbehaviour::NotFoundFirst(_)) => {
                effect(self, Some(&other));
                Err(unreachable("no answer in time"))
            }
            other => Ok(effect(self, other.as_ref())),
        }
    }

    fn misbehaviour(&mut self, call: Call<'_>) -> Option<Misbehaviour> {
        let key = format!("{}/{}/{}", call.party, call.operation.word(), call.key);
        let times = self.seen.entry(key.clone()).or_insert(0);
        *times += 1;
        let chance = mix(self.seed, &format!("{key}/{times}"));
        self.script.next(call.party, call.operation, chance)
    }

    /// Notes the business time that a call carries; it never goes back.
    pub(crate) fn at(&mut self, at: Timestamp) {
        self.now = self.now.max(Some(at));
    }

    /// A reference of ten letters that follows from the seed and a number alone.
    pub(crate) fn reference(&self, prefix: &str, number: &str) -> String {
        const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        let mut bits = mix(self.seed, number);
        let mut text = String::from(prefix);
        for _ in 0..10 {
            let letter = ALPHABET.get((bits % 32) as usize).copied().unwrap_or(b'A');
            text.push(char::from(letter));
            bits /= 32;
        }
        text
    }
}

fn unreachable(detail: &str) -> Unreachable {
    Unreachable {
        detail: detail.to_owned(),
    }
}

/// A well mixed number that follows from a seed and a text: FNV-1a, finished as SplitMix64 does.
pub(crate) fn mix(seed: u64, text: &str) -> u64 {
    let mut z = text.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
