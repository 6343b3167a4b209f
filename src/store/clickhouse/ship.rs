//! From the queue in PostgreSQL into ClickHouse, and the hours back.
//!
//! One batch is one transaction of PostgreSQL: whatever ends it early (this process, PostgreSQL, ClickHouse, the network between them)
//! leaves the events in the queue, and they are sent again. ClickHouse keeps one row of an event however often it comes, and hours are
//! counted anew, so that a repeat changes nothing.

use super::{ClickHouseUsage, events, hours};
use crate::{
    domain::{
        identity::CustomerId,
        period::{Period, hour_of},
        usage_hour::{HourDifference, HourTotals, UsageHour, differences},
    },
    store::{
        postgres::usage::{
            records,
            shipping::{self, RawEvent},
        },
        usage::Result,
    },
};
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// Events of one batch: enough for ClickHouse's taste, and at 4 KiB of properties each still less than 100 MB.
const BATCH: usize = 20_000;
/// Batches of one run, so that a long queue does not keep the job from saying that it lives.
const BATCHES: usize = 50;

impl ClickHouseUsage {
    /// Ships what waits, as long as it is this replica's turn. How many events.
    pub(super) async fn ship(&self) -> Result<u64> {
        self.ready().await?;
        let mut shipped = 0;
        for _ in 0..BATCHES {
            let batch = self.ship_batch().await?;
            shipped += batch as u64;
            if batch < BATCH {
                break;
            }
        }
        Ok(shipped)
    }

    async fn ship_batch(&self) -> Result<usize> {
        let mut tx = self.db.begin().await?;
        if !shipping::try_turn(&mut tx).await? {
            return Ok(0);
        }
        let (places, batch) = shipping::head(&mut tx, BATCH as i64).await?;
        if batch.is_empty() {
            return Ok(0);
        }
        let dirty = dirty_hours(&batch)?;
        let shipped = batch.len();
        events::write(&self.server, futures::stream::iter(batch.into_iter().map(Ok))).await?;
        shipping::hold_counting(&mut tx).await?;
        self.take_over(&mut tx, &dirty).await?;
        hours::count(&self.server, &dirty, shipping::next_version(&mut tx).await?).await?;
        let counted = hours::read(&self.server, &dirty).await?;
        records::put(&mut tx, &counted).await?;
        shipping::remove(&mut tx, &places).await?;
        tx.commit().await?;
        Ok(shipped)
    }

    /// An hour is counted from ClickHouse alone, so that what PostgreSQL has of it from before the switch has to come along.
    async fn take_over(&self, tx: &mut PgConnection, dirty: &[UsageHour]) -> Result<()> {
        if shipping::holds_raw_events(tx).await? {
            for some in dirty.chunks(hours::MOST_HOURS) {
                events::write(&self.server, shipping::hand_over(tx, some)).await?;
            }
        }
        Ok(())
    }

    /// What is in the hours by their raw events, against what is recorded. Looks twice before it says that something is wrong: the
    /// second time while nobody ships.
    pub(super) async fn compare(&self, span: Period) -> Result<Vec<HourDifference>> {
        self.ready().await?;
        let mut conn = self.db.acquire().await?;
        let raw = self.raw(&mut conn, span).await?;
        let suspected = differences(&raw, &records::recorded(&mut conn, span).await?);
        drop(conn);
        if suspected.is_empty() {
            return Ok(suspected);
        }
        let mut tx = self.db.begin().await?;
        shipping::take_turn(&mut tx).await?;
        shipping::hold_counting(&mut tx).await?;
        // A batch that was interrupted is in ClickHouse and still in the queue.
        let waiting = shipping::waiting_hours(&mut tx).await?;
        let raw = self.raw(&mut tx, span).await?;
        let mut found = differences(&raw, &records::recorded(&mut tx, span).await?);
        found.retain(|difference| !waiting.contains(&difference.hour));
        Ok(found)
    }

    /// An hour's events are all in ClickHouse, or all in PostgreSQL until they are moved, or in both while that goes on.
    async fn raw(&self, conn: &mut PgConnection, span: Period) -> Result<HourTotals> {
        let mut raw = events::totals(&self.server, span).await?;
        for (hour, total) in records::raw(conn, span).await? {
            let known = raw.entry(hour).or_default();
            if total.events > known.events {
                *known = total;
            }
        }
        Ok(raw)
    }
}

fn dirty_hours(batch: &[RawEvent]) -> sqlx::Result<Vec<UsageHour>> {
    let hours: sqlx::Result<BTreeSet<UsageHour>> = batch
        .iter()
        .map(|event| {
            let metric = event.metric.parse().map_err(|error: String| sqlx::Error::Decode(error.into()))?;
            Ok(UsageHour { customer: CustomerId(event.customer_id), metric, start: hour_of(event.occurred_at) })
        })
        .collect();
    Ok(hours?.into_iter().collect())
}
