//! The business clock (业务时钟). In service it is the machine's, in the sandbox it may run ahead, in a story it stands
//! where the story puts it. Sessions, leases and signatures use [`machine_now`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use jiff::Timestamp;

/// The business clock.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Ahead of the machine by so much, or standing at this instant; microseconds.
    micros: Arc<AtomicI64>,
    stands: Arc<AtomicBool>,
}

impl Clock {
    /// The machine's time, ahead by so many microseconds.
    pub fn running(ahead_micros: i64) -> Clock {
        Clock {
            micros: Arc::new(AtomicI64::new(ahead_micros)),
            stands: Arc::new(AtomicBool::new(false)),
        }
    }

    /// A clock that stands still until it is moved.
    pub fn standing(at: Timestamp) -> Clock {
        Clock {
            micros: Arc::new(AtomicI64::new(at.as_microsecond())),
            stands: Arc::new(AtomicBool::new(true)),
        }
    }

    /// The business time.
    pub fn now(&self) -> Timestamp {
        let micros = self.micros.load(Ordering::Acquire);
        let micros = if self.stands.load(Ordering::Acquire) {
            micros
        } else {
            machine_now().as_microsecond().saturating_add(micros)
        };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock forward to an instant; it never goes back. Returns by how much it is ahead of the machine.
    pub fn forward(&self, to: Timestamp) -> i64 {
        let target = if self.stands.load(Ordering::Acquire) {
            to.as_microsecond()
        } else {
            to.as_microsecond().saturating_sub(machine_now().as_microsecond())
        };
        let before = self.micros.fetch_max(target, Ordering::AcqRel);
        before.max(target)
    }
}

/// The machine's time, for what is not business: sessions, leases, signatures, rate limits.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the machine's clock"
)]
pub fn machine_now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_only_forward() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let clock = Clock::standing(at(100));
        assert_eq!(clock.now(), at(100));
        clock.forward(at(200));
        clock.forward(at(150));
        assert_eq!(clock.now(), at(200));
    }
}
