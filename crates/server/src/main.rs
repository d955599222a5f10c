//! The command `fenqi`.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fenqi_server::wiring::Database;

// A purchase makes a few hundred small allocations; the system's allocator took a fifth of its time (`fenqi bench confirm`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Fenqi (分期): an open platform for buying in instalments.
#[derive(Parser)]
#[command(name = "fenqi", version, about, after_help = "Example: fenqi demo")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where the store is.
#[derive(clap::Args, Clone)]
struct At {
    /// sqlite (temporary), sqlite:PATH, or postgres://USER@HOST/NAME
    #[arg(long, env = "FENQI_DATABASE", default_value = "sqlite:data/fenqi.db", value_parser = commands::database)]
    database: Database,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Loads the sample shop, plays Ann's story and serves a page that shows what happened
    #[command(after_help = "Example: fenqi demo --catalogue my-catalogue.csv --port 8080")]
    Demo(commands::demo::Demo),
    /// Plays scenario scripts on a fresh store and prints what happened
    #[command(
        after_help = "Example: fenqi story sim/scenarios/*.txt --database postgres://me@localhost/test"
    )]
    Story(commands::story::Story),
    /// Plays loan cases on the rules alone, with no store: try a product and a year of trouble before offering it
    #[command(
        after_help = "Example: fenqi simulate docs/reference/simulate.example.json --format text\n\nWhat a file may hold: docs/reference/simulate.md"
    )]
    Simulate(commands::simulate::Simulate),
    /// Recomputes every balance, schedule and limit from what is stored, and lists what differs
    #[command(after_help = "Example: fenqi verify --database sqlite:data/fenqi.db")]
    Verify(At),
    /// Does the work that is due up to a business day
    #[command(after_help = "Example: fenqi day --until 2026-12-31")]
    Day(commands::day::Day),
    /// Runs a named workload and prints its figures
    #[command(
        after_help = "Example: fenqi bench confirm --size 20000 --database sqlite:target/bench.db --json"
    )]
    Bench(commands::bench::Bench),
    /// Answers figures of the trade: rates, plans, payoffs, day counts, dates, checks; JSON lines in and out
    #[command(
        after_help = "Example: echo '{\"id\": 1, \"calc\": \"annual_rate\", \"method\": \"cn_simple\", \"received\": [{\"month\": 0, \"amount\": \"99000\"}], \"paid\": [{\"month\": 1, \"count\": 12, \"amount\": \"8833.30\"}]}' | fenqi calc\n\nA line that cannot be answered gets its id and an error that names the field. All calculations: docs/reference/calc.md"
    )]
    Calc(commands::calc::Calc),
    /// Brings the store's schema up to date
    #[command(after_help = "Example: fenqi migrate --database sqlite:data/fenqi.db")]
    Migrate(At),
    /// Says what is wrong with the installation and how to mend it
    #[command(after_help = "Example: fenqi doctor --database sqlite:data/fenqi.db")]
    Doctor(At),
    /// Prints the effective configuration, with secrets masked
    #[command(after_help = "Example: fenqi config --json")]
    Config(At),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo(demo) => commands::demo::run(demo).await,
        Command::Story(story) => commands::story::run(story).await,
        Command::Simulate(simulate) => commands::simulate::run(&simulate),
        Command::Verify(at) => commands::verify::run(&at.database, at.json).await,
        Command::Day(day) => commands::day::run(day).await,
        Command::Bench(bench) => commands::bench::run(bench).await,
        Command::Calc(calc) => commands::calc::run(&calc),
        Command::Migrate(at) => commands::migrate::run(&at.database, at.json).await,
        Command::Doctor(at) => commands::doctor::run(&at.database, at.json).await,
        Command::Config(at) => commands::config::run(&at.database, at.json),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            commands::complain(&problem);
            ExitCode::from(2)
        }
    }
}
