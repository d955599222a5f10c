//! `fenqi demo`: loads the sample shop, plays Ann's story, and serves one page that shows what happened. Of a shop's own
//! catalogue it shows what is offered on its first article.

use std::path::PathBuf;

use fenqi_app::clock::machine_now;
use fenqi_server::data::table::counted;
use fenqi_server::data::{Data, Files, load};
use fenqi_server::story::{Place, Played, offers_on_first, play_in, play_on};
use fenqi_server::wiring::{Database, Opening, open};
use fenqi_store::tables::clocks;
use fenqi_store::{Batch, Store};
use fenqi_web::story_page::{StoryPage, listen, serve};
use jiff::Timestamp;

use super::{Done, making, say, told};

/// Ann's story: the whole of article 003, from the cart to the certificate.
const STORY: &str = include_str!("../../../../sim/scenarios/003-from-cart-to-certificate.txt");

/// Its flags.
#[derive(clap::Args)]
pub struct Demo {
    /// A catalogue of one's own, in the form of demo/catalogue.csv
    #[arg(long)]
    catalogue: Option<PathBuf>,
    /// The port to serve on
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Keep the shop and what was played in this store, which must be empty: sqlite:PATH or postgres://USER@HOST/NAME
    #[arg(long)]
    database: Option<Database>,
    /// Play and print, and do not serve
    #[arg(long)]
    no_serve: bool,
    /// Print one line of JSON: what was loaded, whether the books agree, what was seen, and where to look
    #[arg(long)]
    json: bool,
}

/// Loads, plays and serves until it is stopped. What could end it is looked at before anything is played.
pub async fn run(command: Demo) -> Done {
    let listener = match command.no_serve {
        true => None,
        false => Some(listen(command.port).await.map_err(|e| {
            format!(
                "port {}: {e}; choose another with --port, or --no-serve",
                command.port
            )
        })?),
    };
    let mut files = Files::embedded();
    if let Some(path) = &command.catalogue {
        let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
        files.replace("catalogue.csv", &path.display().to_string(), bytes);
    }
    let data = load(&files).map_err(|problems| {
        let listed: Vec<String> = problems.iter().map(told).collect();
        format!("{}\nnothing was loaded", listed.join("\n"))
    })?;
    let store = match &command.database {
        None | Some(Database::Temporary) => None,
        Some(database) => Some(empty(database).await?),
    };
    if !command.json {
        say(format!(
            "loaded {} of {}, {}, {}, {}",
            counted(data.products.len(), "product"),
            counted(data.sellers.len(), "seller"),
            counted(data.lenders.len(), "institution"),
            counted(data.plans.len(), "plan"),
            counted(data.regions.len(), "region"),
        ));
    }
    let (name, story) = story_of(&command, &data)?;
    let played = match &store {
        None => play_in(&data, "ann.txt", &story, &Place::Sqlite).await,
        Some(store) => play_on(&data, "ann.txt", &story, store.clone()).await,
    };
    let played = played.map_err(told)?;
    if let Some(store) = &store {
        goes_on_from(store, played.ended_at).await?;
    }
    let well = played.troubles.is_empty();
    let address = (!command.no_serve).then(|| format!("http://127.0.0.1:{}/", command.port));
    if command.json {
        say(serde_json::json!({
            "products": data.products.len(),
            "sellers": data.sellers.len(),
            "institutions": data.lenders.len(),
            "plans": data.plans.len(),
            "regions": data.regions.len(),
            "played": name,
            "books_agree": well,
            "troubles": played.troubles,
            "text": played.text,
            "look_at": address,
        }));
    } else {
        tell(name, &played, command.no_serve);
    }
    let (Some(address), Some(listener)) = (address, listener) else {
        return Ok(well);
    };
    if !command.json {
        say(format!("look at {address} (stop with Ctrl-C)"));
    }
    let page = StoryPage::of(&played.text, data.products.len(), data.lenders.len(), well);
    serve(page, listener).await.map_err(told)?;
    Ok(well)
}

/// What is played: Ann's story, or of a shop's own catalogue what is offered on its first article.
fn story_of(command: &Demo, data: &Data) -> Result<(&'static str, String), String> {
    let Some(path) = &command.catalogue else {
        return Ok(("Ann's story", STORY.to_owned()));
    };
    // Ann's story buys articles of the sample shop; of another shop its own articles are shown.
    let story = offers_on_first(data).ok_or_else(|| {
        let path = path.display();
        format!("{path}: no article may be paid in instalments; write yes in the column financeable")
    })?;
    Ok(("what Ann is offered on your first article", story))
}

/// Opens the store that is to hold the shop; one that holds a shop already is left as it is.
async fn empty(database: &Database) -> Result<Store, String> {
    let opened = open(database, &Opening::default()).await;
    let store = opened.map_err(|fault| making(database, &fault))?;
    if store.settings().await.map_err(told)?.1.is_empty() {
        Ok(store)
    } else {
        Err("there is a shop in this store already; name another with --database".into())
    }
}

/// The business clock of the store goes on from where the story ended, so that `fenqi day` does the days that follow.
async fn goes_on_from(store: &Store, at: Timestamp) -> Result<(), String> {
    let ahead = at.as_microsecond().saturating_sub(machine_now().as_microsecond());
    let mut batch = Batch::new("clock");
    clocks::clock_set(&mut batch, ahead);
    store.commit(batch).await.map_err(told)
}

/// Says what was played and how it went; all of it, if no page will show it.
fn tell(name: &str, played: &Played, in_full: bool) {
    played.troubles.iter().for_each(say);
    let agree = if played.troubles.is_empty() {
        "agree"
    } else {
        "do not agree"
    };
    say(format!("played {name}: the books {agree}"));
    if in_full {
        say(&played.text);
    }
}
