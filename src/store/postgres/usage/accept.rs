//! Which events are new: PostgreSQL decides it for both stores.
//!
//! Rows are written in the order of their keys, so that batches that overlap wait for each other instead of deadlocking.

use crate::domain::{identity::CustomerId, usage_event::UsageEvent};
use sqlx::PgPool;
use time::OffsetDateTime;

/// Events as the columns that the statements take.
struct Columns<'a> {
    ids: Vec<&'a str>,
    apps: Vec<&'a str>,
    metrics: Vec<&'a str>,
    quantities: Vec<i64>,
    times: Vec<OffsetDateTime>,
    properties: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn of(events: &'a [UsageEvent]) -> Columns<'a> {
        Columns {
            ids: events.iter().map(|event| event.id.as_str()).collect(),
            apps: events.iter().map(|event| event.app_id.as_str()).collect(),
            metrics: events.iter().map(|event| event.metric.as_str()).collect(),
            quantities: events.iter().map(|event| i64::try_from(event.quantity).unwrap_or(i64::MAX)).collect(),
            times: events.iter().map(|event| event.timestamp).collect(),
            properties: events.iter().map(|event| event.properties.as_deref()).collect(),
        }
    }
}

/// In one statement: the key table decides what is new, new events are kept and counted in their hours. How many were new.
pub async fn count(pool: &PgPool, customer: CustomerId, events: &[UsageEvent]) -> sqlx::Result<u64> {
    let Columns { ids, apps, metrics, quantities, times, properties } = Columns::of(events);
    sqlx::query_file_scalar!(
        "src/store/postgres/usage/count.sql",
        customer.0,
        &ids as &[&str],
        &apps as &[&str],
        &metrics as &[&str],
        &quantities,
        &times,
        &properties as &[Option<&str>],
    )
    .fetch_one(pool)
    .await
    .map(|fresh| u64::try_from(fresh).unwrap_or(0))
}

/// In one statement: the key table decides what is new, new events are kept in the queue to ClickHouse. How many were new.
pub async fn queue(pool: &PgPool, customer: CustomerId, events: &[UsageEvent]) -> sqlx::Result<u64> {
    let Columns { ids, apps, metrics, quantities, times, properties } = Columns::of(events);
    sqlx::query_file_scalar!(
        "src/store/postgres/usage/queue.sql",
        customer.0,
        &ids as &[&str],
        &apps as &[&str],
        &metrics as &[&str],
        &quantities,
        &times,
        &properties as &[Option<&str>],
    )
    .fetch_one(pool)
    .await
    .map(|fresh| u64::try_from(fresh).unwrap_or(0))
}
