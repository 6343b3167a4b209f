//! Ships the queue in PostgreSQL to ClickHouse, and reads the hours back.
//!
//! A batch is one transaction of PostgreSQL: if anything fails (this process, PostgreSQL,
//! ClickHouse, the network), the events stay in the queue and are sent again. ClickHouse
//! deduplicates events, and hours are recomputed, so a repetition changes nothing.

use super::{ClickHouseUsage, events, hours};
use crate::{
    domain::{
        identity::CustomerId,
        period::{Period, hour_of},
        usage_hour::{HourDifference, HourTotal, HourTotals, UsageHour, differences},
    },
    store::{
        postgres::usage::{
            moves,
            records::{self, HourRecord},
            shipping::{self, Queue, RawEvent},
            splits,
        },
        usage::Result,
    },
};
use sqlx::PgConnection;
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// Inserts per batch from each queue. Their hours are computed once, which matters if a long queue
/// is in one hour.
const INSERTS: usize = 5;
/// Batches per run, so that a long queue doesn't delay the job's heartbeat.
const BATCHES: usize = 5;

impl ClickHouseUsage {
    /// Ships the queue if this replica holds the lock. Returns the number of events.
    pub(super) async fn ship(&self) -> Result<u64> {
        self.ready().await?;
        let mut shipped = 0;
        for _ in 0..BATCHES {
            let (batch, more) = self.ship_batch().await?;
            shipped += batch;
            if !more {
                break;
            }
        }
        Ok(shipped)
    }

    /// Returns the number of shipped events, and whether there may be more.
    async fn ship_batch(&self) -> Result<(u64, bool)> {
        let mut tx = self.db.begin().await?;
        if !shipping::try_turn(&mut tx).await? {
            return Ok((0, false));
        }
        let (mut taken, mut dirty, mut shipped, mut more) = (Vec::new(), BTreeSet::new(), 0, false);
        for queue in Queue::ALL {
            let mut places = Vec::new();
            let mut ended = false;
            for _ in 0..INSERTS {
                let (next, waiting) = shipping::next(&mut tx, queue, places.last().copied(), events::INSERT as i64).await?;
                ended = waiting.len() < events::INSERT;
                add_hours(&mut dirty, &waiting)?;
                places.extend(next);
                shipped += events::write(&self.server, futures::stream::iter(waiting.into_iter().map(Ok))).await?;
                if ended {
                    break;
                }
            }
            more |= !ended;
            taken.push((queue, places));
        }
        if shipped == 0 {
            return Ok((0, false));
        }
        let dirty: Vec<UsageHour> = dirty.into_iter().collect();
        shipping::hold_counting(&mut tx).await?;
        self.take_over(&mut tx, &dirty).await?;
        let counted = self.count(&mut tx, &dirty).await?;
        records::put(&mut tx, &counted).await?;
        for (queue, places) in taken {
            shipping::remove(&mut tx, queue, &places).await?;
        }
        tx.commit().await?;
        Ok((shipped, more))
    }

    /// Recomputes hours; hours with a period boundary in parts. The caller holds the lock against
    /// counting.
    async fn count(&self, tx: &mut PgConnection, dirty: &[UsageHour]) -> Result<Vec<HourRecord>> {
        let version = shipping::next_version(tx).await?;
        let splits = splits::of_hours(tx, dirty).await?;
        let split_hours: BTreeSet<(CustomerId, OffsetDateTime)> = splits.iter().map(|(customer, at)| (*customer, hour_of(*at))).collect();
        let (split, whole): (Vec<UsageHour>, Vec<UsageHour>) =
            dirty.iter().copied().partition(|hour| split_hours.contains(&(hour.customer, hour.start)));
        hours::count(&self.server, &whole, version).await?;
        hours::count_parts(&self.server, &split, &splits, version).await?;
        hours::read(&self.server, dirty, version).await
    }

    /// Splits an hour. ClickHouse is only needed if the hour has records.
    pub(super) async fn split_hour(&self, customer: CustomerId, at: OffsetDateTime) -> Result<()> {
        let hour = hour_of(at);
        let mut tx = self.db.begin().await?;
        splits::wait_little(&mut tx).await?;
        shipping::take_turn(&mut tx).await?;
        shipping::hold_counting(&mut tx).await?;
        if splits::add(&mut tx, customer, at).await? {
            let before = splits::recorded(&mut tx, customer, hour).await?;
            if !before.is_empty() {
                self.ready().await?;
                let metrics: BTreeSet<&str> = before.iter().map(|record| record.metric.as_str()).collect();
                let of = |metric: &str| {
                    let metric = metric.parse().map_err(|error: String| sqlx::Error::Decode(error.into()))?;
                    Ok(UsageHour { customer, metric, start: hour })
                };
                let dirty = metrics.into_iter().map(of).collect::<sqlx::Result<Vec<UsageHour>>>()?;
                self.take_over(&mut tx, &dirty).await?;
                let parts = self.count(&mut tx, &dirty).await?;
                if !splits::put(&mut tx, customer, hour, &before, &parts).await? {
                    tracing::warn!(%customer, %hour, "an hour can't be split: its raw usage events differ from its records");
                }
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// An hour is computed from ClickHouse alone, so PostgreSQL's events from before the switch are
    /// copied too.
    async fn take_over(&self, tx: &mut PgConnection, dirty: &[UsageHour]) -> Result<()> {
        if shipping::holds_raw_events(tx).await? {
            // Only during the hour of the switch.
            moves::unlimited(tx).await?;
            for some in dirty.chunks(hours::MOST_HOURS) {
                events::write(&self.server, shipping::hand_over(tx, some)).await?;
            }
        }
        Ok(())
    }

    /// Compares the sums of raw events with the records. A difference is only reported if a second
    /// comparison, with shipping locked, confirms it.
    pub(super) async fn compare(&self, span: Period) -> Result<Vec<HourDifference>> {
        self.ready().await?;
        let mut conn = self.db.acquire().await?;
        let suspected = self.compare_as_it_is(&mut conn, span).await?;
        drop(conn);
        if suspected.is_empty() {
            return Ok(suspected);
        }
        let mut tx = self.db.begin().await?;
        shipping::take_turn(&mut tx).await?;
        shipping::hold_counting(&mut tx).await?;
        // An interrupted batch is in ClickHouse and still in the queue.
        let waiting = shipping::waiting_hours(&mut tx).await?;
        let mut found = self.compare_as_it_is(&mut tx, span).await?;
        found.retain(|difference| !waiting.contains(&difference.hour));
        Ok(found)
    }

    /// An hour's events are in ClickHouse; or in PostgreSQL until they are moved; or in both during
    /// the move, or while servers that don't know of the switch still run. In the last case
    /// duplicates are unknown, so only an impossible sum is a difference.
    async fn compare_as_it_is(&self, conn: &mut PgConnection, span: Period) -> Result<Vec<HourDifference>> {
        let mut raw = events::totals(&self.server, span).await?;
        let mut most = HourTotals::new();
        for (hour, here) in records::raw(conn, span).await? {
            let there = raw.entry(hour).or_default();
            most.insert(hour, HourTotal { events: here.events + there.events, quantity: here.quantity.saturating_add(there.quantity) });
            *there = HourTotal { events: here.events.max(there.events), quantity: here.quantity.max(there.quantity) };
        }
        let mut found = differences(&raw, &records::recorded(conn, span).await?);
        found.retain(|HourDifference { hour, raw, recorded }| {
            let within = |most: &HourTotal| {
                (raw.events..=most.events).contains(&recorded.events) && (raw.quantity..=most.quantity).contains(&recorded.quantity)
            };
            !most.get(hour).is_some_and(within)
        });
        Ok(found)
    }
}

fn add_hours(dirty: &mut BTreeSet<UsageHour>, events: &[RawEvent]) -> sqlx::Result<()> {
    for event in events {
        let metric = event.metric.parse().map_err(|error: String| sqlx::Error::Decode(error.into()))?;
        dirty.insert(UsageHour { customer: CustomerId(event.customer_id), metric, start: hour_of(event.occurred_at) });
    }
    Ok(())
}
