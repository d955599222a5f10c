//! Random lives of loans: the bytes are the chance by which the strategies of the properties choose terms and what happens.
//! Every figure must be explained, and its explanation must come to it.
#![no_main]

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

fuzz_target!(|chance: &[u8]| {
    let Some((first, rest)) = chance.split_first() else {
        return;
    };
    let rng = TestRng::from_seed(RngAlgorithm::PassThrough, rest);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let tree = if first % 2 == 0 {
        lives::any_case().boxed().new_tree(&mut runner)
    } else {
        serviced::any_serviced_case().boxed().new_tree(&mut runner)
    };
    let Ok(tree) = tree else { return };
    let (terms, life, as_of) = tree.current();
    if let Err(why) = explained::ask_everything(&terms, &life, as_of) {
        panic!("{why}\n{terms:?}\n{:?}\n{as_of}", life.0);
    }
});
