//! Random lives of loans. The first bytes choose terms by the strategies of the properties; every six after them are
//! something that happens, so that libFuzzer can add, drop and change one thing after another. Every figure must be
//! explained, and its explanation must come to it.
#![no_main]

use fenqi_domain::loan::{Amendment, Event, Intent};
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::plan::{Component, Terms};
use fenqi_domain::servicing::Credit;
use jiff::civil::Date;
use libfuzzer_sys::fuzz_target;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[path = "../../crates/domain/tests/loans/explained.rs"]
#[allow(dead_code, reason = "only a part of it is played here")]
mod explained;
#[path = "../../crates/domain/tests/loans/lives.rs"]
#[allow(dead_code, reason = "as above")]
mod lives;
#[path = "../../crates/domain/tests/loans/serviced.rs"]
mod serviced;
#[path = "../../crates/domain/tests/loans/servicing.rs"]
#[allow(dead_code, unused_imports, reason = "as above")]
mod servicing;
#[path = "../../crates/domain/tests/loans/terms.rs"]
#[allow(dead_code, reason = "as above")]
mod terms;

/// Terms by the chance of four bytes.
fn any_terms(chance: [u8; 4]) -> Option<Terms> {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&chance);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let terms = match chance[0] % 2 {
        0 => lives::any_terms().boxed(),
        _ => serviced::any_serviced_terms().boxed(),
    };
    terms.new_tree(&mut runner).ok().map(|tree| tree.current())
}

/// What six bytes stand for: a day, what happens, and how much or to which transaction.
fn any_event(bytes: [u8; 6], terms: &Terms, before: u32) -> Option<(Date, Event)> {
    let [day, kind, high, low, other, more] = bytes;
    let on = terms::after(terms.signed_on, i64::from(day) * 2);
    let amount = Amount::from_minor(i64::from(u16::from_be_bytes([high, low])) * 10 + 1);
    let of = 1 + u32::from(other) % before.max(1);
    let until = terms::after(on, i64::from(more));
    let component = Component::ALL[usize::from(other) % Component::ALL.len()];
    let amended = |by| Some(Event::Amended { by });
    let event = match kind % 16 {
        0..=3 => Some(Event::Repaid {
            amount,
            intent: Intent::Due,
        }),
        4 => Some(Event::Disbursed { amount }),
        5 => Some(Event::Reversed { of }),
        6 => Some(Event::Waived { component, amount }),
        7 => Some(Event::Excused { from: on, until }),
        8 => amended(Amendment::Charged {
            amount,
            component: Component::Fee,
            due_on: until,
        }),
        9 => amended(Amendment::ChargedBack { amount, of }),
        10 => amended(Amendment::Credited {
            amount,
            credit: Credit::Goodwill,
        }),
        11 => amended(Amendment::RateChanged {
            annual: Rate::from_ppb(i64::from(other) * 1_000_000),
        }),
        12 => amended(Amendment::InterestPaused { from: on, until }),
        13 => amended(Amendment::ChargedOff),
        14 => Some(Event::Paused),
        _ => Some(Event::Resumed),
    };
    Some((on, event?))
}

fuzz_target!(|bytes: &[u8]| {
    let Some((chance, rest)) = bytes.split_first_chunk() else {
        return;
    };
    let Some(terms) = any_terms(*chance) else { return };
    let mut life = terms::Life(Vec::new()).then(
        terms.signed_on,
        Event::Disbursed {
            amount: terms.principal,
        },
    );
    for six in rest.chunks_exact(6).take(24) {
        let Ok(six) = <[u8; 6]>::try_from(six) else { return };
        let before = u32::try_from(life.0.len()).unwrap_or(u32::MAX);
        // What plans on sale do not know would only be refused.
        let Some((on, event)) = any_event(six, &terms, before) else {
            return;
        };
        if terms.conventions.servicing.is_some() || !matches!(event, Event::Amended { .. }) {
            life = life.then(on, event);
        }
    }
    let as_of = life
        .0
        .iter()
        .map(|t| t.effective_on)
        .max()
        .unwrap_or(terms.signed_on);
    if let Err(why) = explained::ask_everything(&terms, &life, as_of) {
        panic!("{why}\n{terms:?}\n{:?}\n{as_of}", life.0);
    }
});
