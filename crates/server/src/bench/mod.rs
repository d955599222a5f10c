//! Named workloads (性能测试): the platform's own use cases under load, with nothing left out.
//!
//! What a workload needs beforehand (shoppers with sealed names, approvals, signed quotes) is prepared outside the
//! measured part. Figures mean something only beside others of the same run; `cargo xtask bench` runs them so.

pub mod arithmetic;
pub mod confirm;
pub mod day;
pub mod lives;
pub mod people;
pub mod quote;
pub mod repay;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use fenqi_app::App;
use fenqi_app::clock::machine_now;
use fenqi_store::tables::clocks;
use fenqi_store::{Batch, Store};
use tokio::task::JoinSet;

use crate::data::{Data, Files, load};
use crate::market;
use crate::wiring::{Database, Opening, clock, open, sandbox};

/// What a workload came to.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Figures {
    /// How many were done in a second.
    pub per_second: f64,
    /// The latency that all but one in a hundred stayed under, in milliseconds.
    pub p99_ms: f64,
    /// How many were done.
    pub done: usize,
    /// How many were refused, as they should be.
    pub refused: usize,
}

/// A platform on a database for a workload. An empty store gets the market of `demo/`.
pub async fn platform(database: &Database, opening: &Opening) -> Result<(Arc<App>, Data), String> {
    let told = |e: fenqi_store::Fault| e.to_string();
    let data = load(&Files::embedded())
        .map_err(|p| p.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let store = open(database, opening).await.map_err(told)?;
    take(&store).await?;
    if store.settings().await.map_err(told)?.1.is_empty() {
        market::open(&store, &data).await.map_err(told)?;
    }
    let business = clock(&store).await.map_err(told)?;
    let seed = crate::wiring::seed().map_err(told)?;
    let (app, _) = sandbox(store, business, &data, seed).await.map_err(told)?;
    Ok((Arc::new(app), data))
}

/// Makes an empty store a bench's own. One in which there is somebody whom no bench made up is refused.
async fn take(store: &Store) -> Result<(), String> {
    let told = |e: fenqi_store::Fault| e.to_string();
    if store.lease(MARK).await.map_err(told)?.is_some() {
        return Ok(());
    }
    if !store.owners_after("", 1).await.map_err(told)?.is_empty() {
        return Err(
            "somebody is in this store already, and a bench writes made-up purchases; name an empty one, or one that a \
             bench made"
                .into(),
        );
    }
    let mut batch = Batch::new(MARK);
    clocks::lease_first(&mut batch, MARK, "fenqi bench", machine_now());
    store.commit(batch).await.map_err(|e| e.to_string())
}

/// The lease by which a bench knows a store again that it filled.
const MARK: &str = "bench";

/// Runs `count` pieces with so many outstanding, and times each. A piece answers whether it was done or refused.
pub async fn timed<F, Fut>(count: usize, outstanding: usize, piece: F) -> Result<Figures, String>
where
    F: Fn(usize) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<bool, String>> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let start = instant();
    let mut tasks = JoinSet::new();
    for _ in 0..outstanding.max(1) {
        let (next, piece) = (next.clone(), piece.clone());
        tasks.spawn(async move {
            let (mut latencies, mut refused) = (Vec::new(), 0usize);
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return Ok::<_, String>((latencies, refused));
                }
                let began = instant();
                match piece(index).await {
                    Ok(true) => {}
                    Ok(false) => refused = refused.saturating_add(1),
                    Err(error) => return Err(error),
                }
                latencies.push(began.elapsed().as_secs_f64() * 1_000.0);
            }
        });
    }
    let (mut latencies, mut refused) = (Vec::with_capacity(count), 0usize);
    while let Some(done) = tasks.join_next().await {
        let (some, no) = done.map_err(|e| e.to_string())??;
        latencies.extend(some);
        refused = refused.saturating_add(no);
    }
    let seconds = start.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    let p99 = latencies
        .get(latencies.len().saturating_mul(99) / 100)
        .or(latencies.last())
        .copied();
    Ok(Figures {
        per_second: latencies.len() as f64 / seconds,
        p99_ms: p99.unwrap_or(0.0),
        done: latencies.len().saturating_sub(refused),
        refused,
    })
}

/// The machine's stopwatch.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures the machine's time"
)]
pub fn instant() -> Instant {
    Instant::now()
}
