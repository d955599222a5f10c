//! Configuration: institutions, plans, products, sellers, regions, windows, notices, campaigns, documents, holidays.
//!
//! All of it is small, versioned, and read whole. One number, the generation, is raised by every change; a decision
//! that rests on configuration guards that number, so that nobody buys on a plan that was withdrawn meanwhile.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Store, from_json, statements, to_json};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;
use crate::value::Row;

statements! {
    GENERATION = "generation.read", () -> (Int), "select number from generation where id = 1";
    GENERATION_IS = "generation.is", (Int) -> (Int), "select number from generation where id = 1 and number = $1";
    GENERATION_RAISE = "generation.raise", (Int) -> (), "update generation set number = number + 1 where id = 1 and number = $1";
    ALL = "setting.all", () -> (Text, Text, Int, Text),
        "select kind, code, version, detail from setting order by kind, code, version";
    PUT = "setting.put", (Text, Text, Int, Text) -> (),
        "insert into setting (kind, code, version, detail) values ($1, $2, $3, $4)";
    REPLACE = "setting.replace", (Text, Text, Int, Text) -> (),
        "insert into setting (kind, code, version, detail) values ($1, $2, $3, $4) on conflict (kind, code, version) do update set detail = excluded.detail";
    BUDGET_PUT = "budget_slice.put", (Text, Int, Int) -> (),
        "insert into budget_slice (campaign, slice, remaining) values ($1, $2, $3) on conflict (campaign, slice) do nothing";
    BUDGET_SLICES = "budget_slice.all", (Text) -> (Int, Int),
        "select slice, remaining from budget_slice where campaign = $1 order by slice";
    BUDGET_TAKE = "budget_slice.take", (Text, Int, Int) -> (),
        "update budget_slice set remaining = remaining - $3 where campaign = $1 and slice = $2 and remaining >= $3";
    BUDGET_GIVE = "budget_slice.give", (Text, Int, Int) -> (),
        "update budget_slice set remaining = remaining + $3 where campaign = $1 and slice = $2";
    BUDGET_SET = "budget_slice.set", (Text, Int, Int, Int) -> (),
        "update budget_slice set remaining = $4 where campaign = $1 and slice = $2 and remaining = $3";
}

/// One version of one item of configuration.
#[derive(Debug)]
pub struct Setting {
    /// What it is: `institution`, `plan`, …
    pub kind: String,
    /// Its code.
    pub code: String,
    /// Its version.
    pub version: u32,
    row: Row,
}

impl Setting {
    /// Its content.
    pub fn detail<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        from_json(&self.row, 3)
    }
}

impl Store {
    /// The generation of the configuration.
    pub async fn generation(&self) -> Result<i64, Fault> {
        match self.row(&GENERATION, vec![]).await? {
            Some(row) => row.int(0),
            None => Err(Fault::Schema("the table generation has no row".into())),
        }
    }

    /// The generation and everything configured, in one snapshot.
    pub async fn settings(&self) -> Result<(i64, Vec<Setting>), Fault> {
        use crate::statement::Query;
        let mut answers = self
            .read(vec![Query::new(&GENERATION, vec![]), Query::new(&ALL, vec![])])
            .await?;
        let rows = answers.pop().unwrap_or_default();
        let generation = match answers.pop().and_then(|rows| rows.into_iter().next()) {
            Some(row) => row.int(0)?,
            None => return Err(Fault::Schema("the table generation has no row".into())),
        };
        let settings = rows
            .into_iter()
            .map(|row| {
                let version = u32::try_from(row.int(2)?).map_err(|_| row.corrupt(2, "is not a version"))?;
                Ok(Setting {
                    kind: row.text(0)?.into(),
                    code: row.text(1)?.into(),
                    version,
                    row,
                })
            })
            .collect::<Result<Vec<_>, Fault>>()?;
        Ok((generation, settings))
    }

    /// What each slice of a campaign's budget still has.
    pub async fn budget_slices(&self, campaign: &str) -> Result<Vec<(i64, i64)>, Fault> {
        let rows = self.rows(&BUDGET_SLICES, vec![campaign.into()]).await?;
        rows.iter().map(|row| Ok((row.int(0)?, row.int(1)?))).collect()
    }
}

/// Adds or replaces an item of configuration. The batch must also [`raise_generation`].
pub fn put_setting<T: Serialize>(batch: &mut Batch, kind: &str, code: &str, version: u32, detail: &T) {
    batch.put(
        &REPLACE,
        vec![kind.into(), code.into(), version.into(), to_json(detail)],
    );
}

/// Raises the generation from the one that was read; refused if another change came first.
pub fn raise_generation(batch: &mut Batch, from: i64) {
    batch.require(Guard::Unchanged, &GENERATION_RAISE, vec![from.into()]);
}

/// Demands that the configuration is still the one that was decided on.
pub fn require_generation(batch: &mut Batch, generation: i64) {
    batch.require(Guard::Fact("generation"), &GENERATION_IS, vec![generation.into()]);
}

/// Opens a campaign's budget in so many slices.
pub fn open_budget(batch: &mut Batch, campaign: &str, slices: &[i64]) {
    for (slice, remaining) in (0i64..).zip(slices) {
        batch.put(
            &BUDGET_PUT,
            vec![campaign.into(), slice.into(), (*remaining).into()],
        );
    }
}

/// Takes from a slice of a campaign's budget; refused if it does not suffice.
pub fn take_budget(batch: &mut Batch, campaign: &str, slice: i64, amount: i64) {
    batch.require(
        Guard::Quantity("budget_left"),
        &BUDGET_TAKE,
        vec![campaign.into(), slice.into(), amount.into()],
    );
}

/// Gives back to a slice of a campaign's budget.
pub fn give_budget(batch: &mut Batch, campaign: &str, slice: i64, amount: i64) {
    batch.put(&BUDGET_GIVE, vec![campaign.into(), slice.into(), amount.into()]);
}

/// Sets what is left of a slice; refused if a purchase changed it since it was read.
pub fn set_budget(batch: &mut Batch, campaign: &str, slice: i64, before: i64, left: i64) {
    batch.require(
        Guard::Unchanged,
        &BUDGET_SET,
        vec![campaign.into(), slice.into(), before.into(), left.into()],
    );
}
