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

/// Inserts of one batch from each queue. Their hours are counted once, which matters when a long queue is in one hour.
const INSERTS: usize = 5;
/// Batches of one run, so that a long queue does not keep the job from saying that it lives.
const BATCHES: usize = 5;

impl ClickHouseUsage {
    /// Ships what waits, as long as it is this replica's turn. How many events.
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

    /// How many events it shipped, and whether there may be more.
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

    /// Counts hours anew, those within which periods begin in parts. The caller has stopped the counting.
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

    /// Splits an hour. Only one that has records needs ClickHouse for it.
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
                    tracing::warn!(%customer, %hour, "an hour stays whole: its raw usage events are not what is recorded");
                }
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// An hour is counted from ClickHouse alone, so that what PostgreSQL has of it from before the switch has to come along.
    async fn take_over(&self, tx: &mut PgConnection, dirty: &[UsageHour]) -> Result<()> {
        if shipping::holds_raw_events(tx).await? {
            // As long as the hour of the switch is.
            moves::unlimited(tx).await?;
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
        let suspected = self.compare_as_it_is(&mut conn, span).await?;
        drop(conn);
        if suspected.is_empty() {
            return Ok(suspected);
        }
        let mut tx = self.db.begin().await?;
        shipping::take_turn(&mut tx).await?;
        shipping::hold_counting(&mut tx).await?;
        // A batch that was interrupted is in ClickHouse and still in the queue.
        let waiting = shipping::waiting_hours(&mut tx).await?;
        let mut found = self.compare_as_it_is(&mut tx, span).await?;
        found.retain(|difference| !waiting.contains(&difference.hour));
        Ok(found)
    }

    /// An hour's events are in ClickHouse; or in PostgreSQL until they are moved; or in both while that goes on, or while servers that
    /// don't know of the switch still run. Which of them are the same can't be told then, so that only what can't be is a difference.
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
