//! The business clock, and leases with fencing tokens.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Store, instant, parsed, statements};
use crate::batch::{Batch, Guard};
use crate::fault::Fault;

statements! {
    CLOCK = "business_clock.read", () -> (Int, Text), "select offset_micros, day_done from business_clock where id = 1";
    CLOCK_SET = "business_clock.set", (Int) -> (), "update business_clock set offset_micros = $1 where id = 1";
    DAY_DONE = "business_clock.day_done", (Text) -> (),
        "update business_clock set day_done = $1 where id = 1 and (day_done is null or day_done < $1)";
    LEASE = "lease.find", (Text) -> (Text, Int, Int), "select holder, token, until_at from lease where name = $1";
    LEASE_FIRST = "lease.first", (Text, Text, Int) -> (),
        "insert into lease (name, holder, token, until_at) values ($1, $2, 1, $3) on conflict (name) do nothing";
    LEASE_TAKE = "lease.take", (Text, Text, Int, Int, Int) -> (),
        "update lease set holder = $2, token = token + 1, until_at = $3 where name = $1 and token = $4 and (until_at < $5 or holder = $2)";
    LEASE_STILL = "lease.still", (Text, Int) -> (), "update lease set token = token where name = $1 and token = $2";
}

/// A lease as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub holder: String,
    /// Its fencing token: every taking raises it.
    pub token: i64,
    /// Until when, by the taker's own clock.
    pub until: Timestamp,
}

impl Store {
    /// By how much the business clock is ahead of the machine's, and the last business day that was run.
    pub async fn business_clock(&self) -> Result<(i64, Option<Date>), Fault> {
        let Some(row) = self.row(&CLOCK, vec![]).await? else {
            return Err(Fault::Schema("the table business_clock has no row".into()));
        };
        let day = row.opt_text(1)?.map(|_| parsed(&row, 1)).transpose()?;
        Ok((row.int(0)?, day))
    }

    /// A lease.
    pub async fn lease(&self, name: &str) -> Result<Option<Lease>, Fault> {
        let row = self.row(&LEASE, vec![name.into()]).await?;
        row.map(|row| {
            Ok(Lease {
                holder: row.text(0)?.into(),
                token: row.int(1)?,
                until: instant(&row, 2)?,
            })
        })
        .transpose()
    }
}

/// Sets the business clock's lead.
pub fn clock_set(batch: &mut Batch, offset_micros: i64) {
    batch.put(&CLOCK_SET, vec![offset_micros.into()]);
}

/// Notes that a business day was run.
pub fn day_done(batch: &mut Batch, day: Date) {
    batch.put(&DAY_DONE, vec![day.to_string().into()]);
}

/// Takes a lease that nobody ever held.
pub fn lease_first(batch: &mut Batch, name: &str, holder: &str, until: Timestamp) {
    batch.require(
        Guard::Unchanged,
        &LEASE_FIRST,
        vec![name.into(), holder.into(), until.as_microsecond().into()],
    );
}

/// Takes a lease that ran out, or renews one's own.
pub fn lease_taken(
    batch: &mut Batch,
    name: &str,
    holder: &str,
    until: Timestamp,
    token: i64,
    now: Timestamp,
) {
    let params = vec![
        name.into(),
        holder.into(),
        until.as_microsecond().into(),
        token.into(),
        now.as_microsecond().into(),
    ];
    batch.require(Guard::Unchanged, &LEASE_TAKE, params);
}

/// Demands that a lease is still the one that was taken, in the very batch of its effect. It is kept from others until
/// the batch is committed, so that whoever takes it then sees what was done under it.
pub fn require_lease(batch: &mut Batch, name: &str, token: i64) {
    batch.require(
        Guard::Fact("lease"),
        &LEASE_STILL,
        vec![name.into(), token.into()],
    );
}
