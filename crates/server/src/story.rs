//! Plays scenarios (剧本): each on a fresh store of its own, with the market of `demo/` and the sandbox's parties.

use std::sync::Arc;

use fenqi_app::ports::TransferState;
use fenqi_app::repayment::bounce::{BankNotice, NoticeKind};
use fenqi_app::{App, Clock, verify};
use fenqi_connect::Sandbox;
use fenqi_connect::bank::Told;
use fenqi_connect::{SandboxControl, bank};
use fenqi_store::vault::Vault;
use fenqi_store::{Driver, Fault, Postgres, PostgresOptions, Sqlite, Store, create_schema, drop_schema};
use fenqi_story::{Difference, Mistake, Player, Scenario};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::data::{Data, Files, load, table::Problem};
use crate::{market, stage};

/// Where a scenario's store is made.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a temporary SQLite file.
    Sqlite,
    /// In a schema of its own in the PostgreSQL database at this address, dropped after.
    Postgres(String),
}

/// What came of a scenario.
#[derive(Debug)]
pub struct Played {
    /// The file as it should be: every command with what was seen.
    pub text: String,
    /// Where what was seen is not what was expected.
    pub differences: Vec<Difference>,
    /// What could not be played, and what the check of the books found.
    pub troubles: Vec<String>,
    /// The business time at its end.
    pub ended_at: Timestamp,
}

/// Why a scenario could not be played at all.
#[derive(Debug)]
pub enum Unplayable {
    /// Its lines are wrong.
    Mistakes(Vec<Mistake>),
    /// The tables of `demo/` are wrong.
    Tables(Vec<Problem>),
    /// The store is not there.
    Fault(Fault),
}

impl std::fmt::Display for Unplayable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = match self {
            Unplayable::Mistakes(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
            Unplayable::Tables(problems) => problems.iter().map(ToString::to_string).collect(),
            Unplayable::Fault(fault) => vec![fault.to_string()],
        };
        f.write_str(&lines.join("\n"))
    }
}

impl From<Fault> for Unplayable {
    fn from(fault: Fault) -> Unplayable {
        Unplayable::Fault(fault)
    }
}

/// Plays a scenario from its first line to its last, in the market of `demo/`.
pub async fn play(file: &str, text: &str, place: &Place) -> Result<Played, Unplayable> {
    let data = load(&Files::embedded()).map_err(Unplayable::Tables)?;
    play_in(&data, file, text, place).await
}

/// As [`play`], in a market of one's own.
pub async fn play_in(data: &Data, file: &str, text: &str, place: &Place) -> Result<Played, Unplayable> {
    let scenario = Scenario::parse(file, text).map_err(Unplayable::Mistakes)?;
    match place {
        Place::Sqlite => {
            let sqlite = Sqlite::temporary()?;
            sqlite.migrate(beginning())?;
            Ok(on(&scenario, of_made_up_people(Arc::new(sqlite))?, data).await?)
        }
        Place::Postgres(url) => {
            let schema = format!("story_{}_{}", std::process::id(), word(file));
            drop_schema(url, &schema).await?;
            create_schema(url, &schema).await?;
            let options = PostgresOptions::new(url.as_str()).in_schema(schema.as_str());
            let postgres = Postgres::connect(&options).await?;
            postgres.migrate(beginning()).await?;
            let played = on(&scenario, of_made_up_people(Arc::new(postgres))?, data).await;
            // Dropped even after a fault, so that nothing is left behind.
            drop_schema(url, &schema).await?;
            Ok(played?)
        }
    }
}

/// A scenario of what a shopper is told about the first article that may be paid in instalments, before and after each
/// lender was asked; nothing if there is no such article.
pub fn offers_on_first(data: &Data) -> Option<String> {
    let article = data.products.iter().find(|product| product.is_financeable)?;
    let asks = format!("ann asks for offers on 1 {}, in 310000\n", article.sku);
    let lenders = data.lenders.iter();
    let applies: String = lenders
        .map(|lender| format!("ann applies to {}\n", lender.institution.code))
        .collect();
    Some(format!(
        "# What anybody is told about {0}.\n\
         at 2025-01-05 10:00\n\
         ann is 张安, 110101199003070011, phone 13800000001, earns 12000.00\n\
         {asks}\
         # What somebody is told who has proved who she is and asked each lender for credit.\n\
         ann proves her name and face\n\
         {applies}\
         {asks}",
        article.sku
    ))
}

/// Plays a scenario on a store that stays as the scenario leaves it. It must be empty before.
pub async fn play_on(data: &Data, file: &str, text: &str, store: Store) -> Result<Played, Unplayable> {
    let scenario = Scenario::parse(file, text).map_err(Unplayable::Mistakes)?;
    if !store.settings().await?.1.is_empty() {
        let full = "something is configured in this store already; a scenario begins on an empty one";
        return Err(Fault::Schema(full.into()).into());
    }
    Ok(on(&scenario, store, data).await?)
}

/// Plays a scenario on a store that is empty.
async fn on(scenario: &Scenario, store: Store, data: &Data) -> Result<Played, Fault> {
    let (app, sandbox) = on_store(store, data).await?;
    let control = stage::control(&sandbox);
    let mut player = Player::new(&app, &control, &scenario.file);
    let mut seen = Vec::new();
    for step in scenario.steps() {
        seen.push(player.play(step).await);
    }
    let mut troubles = player.troubles().to_vec();
    // Every scenario ends with the check of the whole store.
    match verify::verify(&app).await {
        Ok(found) => troubles.extend(found.iter().map(|d| format!("{}: verify: {d}", scenario.file))),
        Err(denied) => troubles.push(format!("{}: verify: {denied}", scenario.file)),
    }
    Ok(Played {
        text: scenario.with_answers(&seen),
        differences: scenario.differences(&seen),
        troubles,
        ended_at: app.clock.now(),
    })
}

/// A platform with the market of the tables, whose clock stands and whose parties are the sandbox's.
pub async fn platform(driver: Arc<dyn Driver>, data: &Data) -> Result<(App, SandboxControl), Fault> {
    on_store(of_made_up_people(driver)?, data).await
}

/// A store whose people are made up, so that its keys may be known.
fn of_made_up_people(driver: Arc<dyn Driver>) -> Result<Store, Fault> {
    let vault = Vault::new(&[7; 32], 1, &[9; 32])?;
    Ok(Store::new(driver, Arc::new(vault)))
}

async fn on_store(store: Store, data: &Data) -> Result<(App, SandboxControl), Fault> {
    market::open(&store, data).await?;
    let (parties, sandbox) = Sandbox::with_lenders(1, market::standards(data));
    let zone = TimeZone::fixed(jiff::tz::offset(8));
    let app = App::new(store, parties, Clock::standing(beginning()), zone, 1);
    Ok((app, sandbox))
}

/// Before the first line of any scenario.
fn beginning() -> Timestamp {
    // 2024-12-31 00:00 in China.
    Timestamp::constant(1_735_574_400, 0)
}

/// The letters and digits of a file's name, for the name of a schema.
fn word(file: &str) -> String {
    let letters = file.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).take(40).collect()
}

/// A notice of the sandbox's bank as the platform takes it in.
pub(crate) fn notice(told: bank::BankNotice) -> Option<BankNotice> {
    let what = match told.tells {
        Told::Ended(TransferState::Succeeded { reference, at }) => NoticeKind::Succeeded { reference, at },
        Told::Ended(TransferState::Failed { code }) => NoticeKind::Failed { code },
        Told::TakenBack { at } => NoticeKind::Returned { at },
        Told::Ended(TransferState::Pending | TransferState::NotFound) => return None,
    };
    Some(BankNotice {
        notice: told.id,
        number: told.number,
        what,
    })
}
