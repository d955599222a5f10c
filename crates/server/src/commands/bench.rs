//! `fenqi bench`: the named workloads.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use fenqi_server::bench::{self, arithmetic, confirm, day, quote, repay};
use fenqi_server::data::{Files, load};
use fenqi_server::wiring::{Database, Opening, clock, open, sandbox, seed};

use super::{Done, complain, say, told};

/// Its flags.
#[derive(clap::Args)]
pub struct Bench {
    #[command(subcommand)]
    workload: Workload,
}

#[derive(clap::Args, Clone)]
struct Common {
    /// sqlite (temporary, not durable), sqlite:PATH, or postgres://USER@HOST/NAME
    #[arg(long, default_value = "sqlite:target/bench.db")]
    database: Database,
    /// How many
    #[arg(long, default_value_t = 20_000, value_parser = many)]
    size: usize,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Workload {
    /// Whole purchases: request, guarded limit, agreement with schedule, order, entries, event, work
    Confirm {
        #[command(flatten)]
        common: Common,
        /// How many purchases are outstanding at once
        #[arg(long, default_value_t = 256, value_parser = many)]
        outstanding: usize,
        /// Of a hundred purchases, how many meet a limit that another of the same moment used up
        #[arg(long, default_value_t = 0)]
        refused: usize,
        /// Each purchase in a commit of its own
        #[arg(long)]
        one_by_one: bool,
        /// Print each acknowledged order on a line, until killed
        #[arg(long)]
        acknowledge: bool,
        /// Check that every order listed in this file is in the store
        #[arg(long)]
        check: Option<PathBuf>,
    },
    /// Repayments, from a card through the sandbox's bank or by transfer
    Repay {
        #[command(flatten)]
        common: Common,
        /// The way in which the money comes
        #[arg(long, value_enum, default_value = "card")]
        by: repay::By,
        /// How many payments are outstanding at once
        #[arg(long, default_value_t = 256, value_parser = many)]
        outstanding: usize,
    },
    /// Offers with schedule, costs and annual rates, on one core
    Quote {
        #[command(flatten)]
        common: Common,
    },
    /// Schedules, annual rates and whole lives of loans, on one core and with no store
    Arithmetic {
        /// How many schedules and rates; lives are a fiftieth of it
        #[arg(long, default_value_t = 1_000_000, value_parser = many)]
        size: usize,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// The day run
    Day {
        #[command(flatten)]
        common: Common,
        /// How many agreements there are
        #[arg(long, default_value_t = 100_000, value_parser = many)]
        agreements: usize,
        /// How many of them are due on the day; as many more are to be billed, and as many are late
        #[arg(long, default_value_t = 3_300, value_parser = many)]
        due: usize,
        /// Fill the store, and no more
        #[arg(long)]
        fill: bool,
        /// The store is filled
        #[arg(long, conflicts_with = "fill")]
        filled: bool,
    },
}

/// The most of anything that a workload is run with.
const MOST: usize = 10_000_000;

/// How many, as it is written on the command line.
fn many(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| format!("must be a whole number from 1 to {MOST}"))
}

// Long because: one arm stands for each workload and its flags.
/// Runs a workload.
pub async fn run(command: Bench) -> Done {
    match command.workload {
        Workload::Confirm {
            common,
            check: Some(file),
            ..
        } => check(&common, &file).await,
        Workload::Confirm {
            common,
            acknowledge: true,
            ..
        } => acknowledge(&common).await,
        Workload::Confirm {
            common,
            outstanding,
            refused,
            one_by_one,
            ..
        } => {
            let opening = Opening {
                one_by_one,
                ..Opening::default()
            };
            let (app, data) = bench::platform(&common.database, &opening).await?;
            let outstanding = if one_by_one { 1 } else { outstanding };
            let size = confirm::Size {
                purchases: common.size,
                outstanding,
                refused_percent: refused,
            };
            show(&common, "confirm", &confirm::run(&app, &data, size).await?)
        }
        Workload::Repay {
            common,
            by,
            outstanding,
        } => {
            let data = load(&Files::embedded()).map_err(|_| "the sample tables are broken")?;
            let (prepared, _) = bench::platform(&common.database, &Opening::default()).await?;
            let store = prepared.store.clone();
            let business = clock(&store).await.map_err(told)?;
            let (app, control) = sandbox(store, business, &data, seed().map_err(told)?)
                .await
                .map_err(told)?;
            let size = confirm::Size {
                purchases: common.size,
                outstanding,
                refused_percent: 0,
            };
            show(
                &common,
                "repay",
                &repay::run(&Arc::new(app), &control, &data, size, by).await?,
            )
        }
        Workload::Quote { common } => {
            let data = load(&Files::embedded()).map_err(|_| "the sample tables are broken")?;
            show(&common, "quote", &quote::run(&data, common.size)?)
        }
        Workload::Arithmetic { size, json } => reckon(size, json),
        Workload::Day {
            common,
            agreements,
            due,
            fill,
            filled,
        } => {
            let data = load(&Files::embedded()).map_err(|_| "the sample tables are broken")?;
            let opened = || async { open(&common.database, &Opening::default()).await.map_err(told) };
            if !filled {
                day::fill(opened().await?, &data, day::Size { agreements, due }).await?;
            }
            if fill {
                return Ok(true);
            }
            let figures = day::run(opened().await?, &data).await?;
            if common.json {
                say(serde_json::to_string(&figures).map_err(told)?);
            } else {
                say(format!(
                    "day: {:.3} s for {} pieces of work",
                    figures.seconds, figures.acted
                ));
            }
            Ok(true)
        }
    }
}

fn reckon(size: usize, json: bool) -> Done {
    let speeds = arithmetic::run(size)?;
    if json {
        say(serde_json::to_string(&speeds).map_err(told)?);
    } else {
        say(format!(
            "in a second of processor time: {:.0} schedules of 12, {:.0} annual rates of 12, {:.0} lives of 36 with 60 \
             transactions",
            speeds.schedules, speeds.annual_rates, speeds.lives
        ));
    }
    Ok(true)
}

fn show(common: &Common, name: &str, figures: &bench::Figures) -> Done {
    if common.json {
        say(serde_json::to_string(figures).map_err(told)?);
    } else {
        say(format!(
            "{name}: {:.0} a second, p99 {:.1} ms, {} done, {} refused",
            figures.per_second, figures.p99_ms, figures.done, figures.refused
        ));
    }
    Ok(true)
}

/// Opens the store of a purchase run, purchases on and on, and prints each order once it is acknowledged.
async fn acknowledge(common: &Common) -> Done {
    let (app, data) = bench::platform(&common.database, &Opening::default()).await?;
    loop {
        let size = confirm::Size {
            purchases: 64,
            outstanding: 64,
            refused_percent: 0,
        };
        let buyers = Arc::new(confirm::buyers(&app, &data, size).await?);
        let (app, buyers) = (app.clone(), buyers.clone());
        bench::timed(buyers.len(), 32, move |index| {
            let (app, buyers) = (app.clone(), buyers.clone());
            async move {
                let Some(buyer) = buyers.get(index) else {
                    return Ok(false);
                };
                let done = confirm::purchase(&app, buyer, 0).await?;
                if let (Some(_), Some((quote, _))) = (&done, buyer.quotes.first()) {
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "bench-{quote}")
                        .and_then(|()| out.flush())
                        .map_err(told)?;
                }
                Ok(done.is_some())
            }
        })
        .await?;
    }
}

/// Whether every acknowledged order is in the store.
async fn check(common: &Common, file: &PathBuf) -> Done {
    let listed = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let opening = Opening {
        read_only: true,
        ..Opening::default()
    };
    let store = open(&common.database, &opening).await.map_err(told)?;
    let data = load(&Files::embedded()).map_err(|_| "the sample tables are broken")?;
    let seller = data
        .products
        .iter()
        .find(|p| p.sku == confirm::article(&data).map(|(sku, _)| sku).unwrap_or_default())
        .map(|p| p.seller.clone())
        .unwrap_or_default();
    let mut lost = 0usize;
    // The last line may be torn: the process was killed while it printed it.
    let complete = listed
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(str::trim_end);
    for order in complete {
        if store.order(&seller, order).await.map_err(told)?.is_none() {
            complain(format!("{order} was acknowledged and is not in the store"));
            lost = lost.saturating_add(1);
        }
    }
    Ok(lost == 0)
}
