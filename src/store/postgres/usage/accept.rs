//! Deduplication of events: PostgreSQL does it for both stores.
//!
//! Many events are written by COPY, assuming that all are new, which is nearly always true. If one
//! is not, the batch is rolled back and written like few events: with one statement that skips
//! known ones.

use super::{bulk, destination::Destination, ids, splits};
use crate::domain::{identity::CustomerId, usage_event::UsageEvent};
use sqlx::{Connection, PgPool};
use std::collections::HashSet;
use time::OffsetDateTime;
use uuid::Uuid;

/// From this number on COPY is faster.
const MANY: usize = 200;

/// Stores the new events in one transaction; returns how many. Ids must be distinct.
pub async fn accept(pool: &PgPool, customer: CustomerId, events: &[UsageEvent], destination: Destination) -> sqlx::Result<u64> {
    if events.len() >= MANY {
        let splits = match bulk::span(events).filter(|_| destination == Destination::Hours) {
            Some((from, until)) => splits::within(pool, customer, from, until).await?,
            None => Vec::new(),
        };
        if let Some(written) = bulk::write(pool, bulk::Batch::of(customer, events, destination, splits)).await? {
            return Ok(written);
        }
    }
    let mut conn = pool.acquire().await?;
    let mut tx = conn.begin_with(destination.begin()).await?;
    let eras = ids::eras(&mut tx).await?;
    let mut keyed = ids::sorted(eras[0], customer, events);
    for era in &eras[1..] {
        let keys: Vec<Uuid> = keyed.iter().map(|(key, _)| ids::in_era(*era, *key)).collect();
        let known: HashSet<Uuid> = ids::known(&mut tx, &keys).await?.into_iter().map(|key| ids::in_era(eras[0], key)).collect();
        keyed.retain(|(key, _)| !known.contains(key));
    }
    let keys: Vec<Uuid> = keyed.iter().map(|(key, _)| *key).collect();
    let names: Vec<&str> = keyed.iter().map(|(_, event)| event.id.as_str()).collect();
    let apps: Vec<&str> = keyed.iter().map(|(_, event)| event.app_id.as_str()).collect();
    let metrics: Vec<&str> = keyed.iter().map(|(_, event)| event.metric.as_str()).collect();
    let quantities: Vec<i64> = keyed.iter().map(|(_, event)| i64::try_from(event.quantity).unwrap_or(i64::MAX)).collect();
    let times: Vec<OffsetDateTime> = keyed.iter().map(|(_, event)| event.timestamp).collect();
    let properties: Vec<Option<&str>> = keyed.iter().map(|(_, event)| event.properties.as_deref()).collect();
    macro_rules! written_by {
        ($file:literal) => {
            sqlx::query_file_scalar!(
                $file,
                customer.0,
                &keys,
                &names as &[&str],
                &apps as &[&str],
                &metrics as &[&str],
                &quantities,
                &times,
                &properties as &[Option<&str>],
            )
            .fetch_one(&mut *tx)
            .await?
        };
    }
    let fresh = match destination {
        Destination::Hours => written_by!("src/store/postgres/usage/count.sql"),
        Destination::Queue => written_by!("src/store/postgres/usage/queue.sql"),
    };
    tx.commit().await?;
    Ok(u64::try_from(fresh).unwrap_or(0))
}
