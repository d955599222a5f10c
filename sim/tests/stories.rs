//! Every scenario plays as it says, on SQLite and on PostgreSQL, with the same answers, and leaves books that agree.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read its scenario fails at once"
)]
#![expect(
    clippy::disallowed_macros,
    reason = "a test without a server says that it is skipped"
)]

use fenqi_server::story::{Place, play};

/// Plays one scenario and complains of every line that was seen otherwise.
async fn plays(name: &str, place: &Place) {
    let path = format!("{}/scenarios/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let played = play(&format!("{name}.txt"), &text, place).await.unwrap();
    let differences: Vec<String> = played.differences.iter().map(ToString::to_string).collect();
    assert!(played.troubles.is_empty(), "{}", played.troubles.join("\n"));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// One module a scenario, so that each is a test of its own on each database and they run side by side.
macro_rules! scenarios {
    ($($test:ident = $name:literal;)*) => {
        const LISTED: &[&str] = &[$($name),*];

        $(mod $test {
            use super::*;

            #[tokio::test]
            async fn plays_on_sqlite() {
                plays($name, &Place::Sqlite).await;
            }

            #[tokio::test]
            async fn plays_on_postgres() {
                match std::env::var("FENQI_TEST_POSTGRES") {
                    Ok(url) => plays($name, &Place::Postgres(url)).await,
                    Err(_) => eprintln!("skipped: FENQI_TEST_POSTGRES names no server"),
                }
            }
        })*
    };
}

scenarios! {
    article_000 = "000-why-instalments-are-not-offered";
    article_001 = "001-why-i-cannot-use-it";
    article_002 = "002-repaying-while-checkout-is-off";
    article_003 = "003-from-cart-to-certificate";
    backdated_payment = "backdated-payment";
    bounced_payment = "bounced-payment";
    budget_runs_out = "budget-runs-out";
    card_with_too_little_money = "card-with-too-little-money";
    frozen_account_still_repays = "frozen-account-still-repays";
    late_for_months = "late-for-months";
    late_forty_days = "late-forty-days";
    paid_early_the_day_before = "paid-early-the-day-before";
    partial_return = "partial-return-before-and-after-the-bill";
    return_after_three_paid = "return-after-three-paid";
    settled_while_the_rest_is_held = "settled-while-the-rest-is-held";
    silent_seller = "silent-seller";
    somebody_elses_payment_goes_back = "somebody-elses-payment-goes-back";
    suspended_in_one_region = "suspended-in-one-region-then-ended";
    the_bank_misbehaves = "the-bank-misbehaves";
    thirty_first_of_january = "thirty-first-of-january";
    two_orders_one_bill = "two-orders-one-bill";
    two_people = "two-people";
    what_cannot_be_taken = "what-cannot-be-taken";
}

#[test]
fn every_scenario_of_the_folder_is_listed() {
    let folder = format!("{}/scenarios", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".txt").map(str::to_owned))
        .collect();
    names.sort();
    assert_eq!(names, LISTED);
}
