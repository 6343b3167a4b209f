//! PostgreSQL's side of shipping usage events to ClickHouse: the queues, the lock, and raw events
//! from before the switch.

use crate::{
    domain::{identity::CustomerId, usage_hour::UsageHour},
    store::postgres::{audit, outbox},
};
use futures::{StreamExt, stream::BoxStream};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use std::{collections::BTreeSet, time::Duration};
use time::OffsetDateTime;
use uuid::Uuid;

/// An accepted event as stored in PostgreSQL.
#[derive(Clone, Debug)]
pub struct RawEvent {
    pub customer_id: Uuid,
    pub event_id: String,
    pub app_id: String,
    pub metric: String,
    pub quantity: i64,
    pub occurred_at: OffsetDateTime,
    /// A JSON object, as text.
    pub properties: Option<String>,
    pub received_at: OffsetDateTime,
}

/// Since when raw events go to ClickHouse; None: never.
pub async fn switched(pool: &PgPool) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("SELECT since FROM usage_store").fetch_optional(pool).await
}

/// Records that raw events go to ClickHouse from now on.
pub async fn switch(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    let changed = sqlx::query!("INSERT INTO usage_store (store) VALUES ('clickhouse') ON CONFLICT DO NOTHING").execute(&mut *tx).await?;
    if changed.rows_affected() > 0 {
        let data = json!({"store": "clickhouse"});
        let entry = audit::Entry {
            event_type: "usage_store.switched",
            actor: "system",
            customer: None,
            data: data.clone(),
            ip_address: None,
            user_agent: None,
        };
        audit::record(&mut tx, entry).await?;
        outbox::publish(&mut tx, "usage_store.switched", None, data).await?;
    }
    tx.commit().await
}

/// The arrival of the oldest of a customer's queued events.
pub async fn waiting_since(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!(
        "SELECT min(received_at) FROM (
             (SELECT received_at FROM usage_outbox WHERE customer_id = $1 ORDER BY id LIMIT 1)
             UNION ALL (SELECT received_at FROM usage_outbox_batches WHERE customer_id = $1 ORDER BY id LIMIT 1)
         ) AS oldest",
        customer.0
    )
    .fetch_one(pool)
    .await
}

/// Age of the oldest queued event.
pub async fn behind(pool: &PgPool) -> sqlx::Result<Duration> {
    let seconds = sqlx::query_scalar!(
        r#"SELECT greatest(extract(epoch FROM now() - min(received_at)), 0)::float8 AS "seconds!" FROM (
               (SELECT received_at FROM usage_outbox ORDER BY id LIMIT 1)
               UNION ALL (SELECT received_at FROM usage_outbox_batches ORDER BY id LIMIT 1)
           ) AS oldest"#
    )
    .fetch_one(pool)
    .await?;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// Takes the shipping lock for the transaction; false if another replica has it.
pub async fn try_turn(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock(hashtext('usage_outbox')) AS "turn!""#).fetch_one(conn).await
}

/// Waits for the shipping lock.
pub async fn take_turn(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('usage_outbox'))").execute(conn).await.map(drop)
}

/// Locks hourly records until the transaction ends: servers that don't know of the switch wait in
/// `count.sql`, and their earlier changes are visible to the following statements.
pub async fn hold_counting(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('usage_records'))").execute(conn).await.map(drop)
}

/// The queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// One row per event, in `usage_outbox`: small requests and corrections.
    Events,
    /// One row per request, in `usage_outbox_batches`.
    Batches,
}

impl Queue {
    pub const ALL: [Queue; 2] = [Queue::Events, Queue::Batches];
}

/// About this many events of a queue after a position, or from its head, with their positions.
pub async fn next(conn: &mut PgConnection, queue: Queue, behind: Option<i64>, about: i64) -> sqlx::Result<(Vec<i64>, Vec<RawEvent>)> {
    match queue {
        Queue::Events => next_events(conn, behind.unwrap_or(0), about).await,
        Queue::Batches => next_batches(conn, behind.unwrap_or(0), about).await,
    }
}

async fn next_events(conn: &mut PgConnection, behind: i64, limit: i64) -> sqlx::Result<(Vec<i64>, Vec<RawEvent>)> {
    let rows = sqlx::query!(
        r#"SELECT id, customer_id, event_id, app_id, metric, quantity, occurred_at, properties::text AS properties, received_at
           FROM usage_outbox WHERE id > $1 ORDER BY id LIMIT $2"#,
        behind,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let event = RawEvent {
                customer_id: row.customer_id,
                event_id: row.event_id,
                app_id: row.app_id,
                metric: row.metric,
                quantity: row.quantity,
                occurred_at: row.occurred_at,
                properties: row.properties,
                received_at: row.received_at,
            };
            (row.id, event)
        })
        .unzip())
}

/// Whole batches, until they have `about` this many events.
async fn next_batches(conn: &mut PgConnection, behind: i64, about: i64) -> sqlx::Result<(Vec<i64>, Vec<RawEvent>)> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", customer_id AS "customer_id!", event_ids AS "event_ids!", app_ids AS "app_ids!", metrics AS "metrics!",
                  quantities AS "quantities!", occurred_at AS "occurred_at!", properties AS "properties!: Vec<Option<String>>",
                  received_at AS "received_at!"
           FROM (SELECT *, sum(events) OVER (ORDER BY id) - events AS before
                 FROM (SELECT * FROM usage_outbox_batches WHERE id > $1 ORDER BY id LIMIT 1000) AS head) AS counted
           WHERE before < $2 ORDER BY id"#,
        behind,
        about
    )
    .fetch_all(conn)
    .await?;
    let (mut places, mut events) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        places.push(row.id);
        let count = row.event_ids.len();
        if [row.app_ids.len(), row.metrics.len(), row.quantities.len(), row.occurred_at.len(), row.properties.len()] != [count; 5] {
            return Err(sqlx::Error::Decode(format!("batch {} of usage_outbox_batches has arrays of different lengths", row.id).into()));
        }
        let rest = row.metrics.into_iter().zip(row.quantities).zip(row.occurred_at).zip(row.properties);
        let each = row.event_ids.into_iter().zip(row.app_ids).zip(rest);
        events.extend(each.map(|((event_id, app_id), (((metric, quantity), occurred_at), properties))| RawEvent {
            customer_id: row.customer_id,
            event_id,
            app_id,
            metric,
            quantity,
            occurred_at,
            properties,
            received_at: row.received_at,
        }));
    }
    Ok((places, events))
}

/// Deletes these positions from a queue.
pub async fn remove(conn: &mut PgConnection, queue: Queue, places: &[i64]) -> sqlx::Result<()> {
    let removed = match queue {
        Queue::Events => sqlx::query!("DELETE FROM usage_outbox WHERE id = ANY ($1)", places).execute(conn).await,
        Queue::Batches => sqlx::query!("DELETE FROM usage_outbox_batches WHERE id = ANY ($1)", places).execute(conn).await,
    };
    removed.map(drop)
}

/// Customers' hours with queued events.
pub async fn waiting_hours(conn: &mut PgConnection) -> sqlx::Result<BTreeSet<UsageHour>> {
    let rows = sqlx::query!(
        r#"SELECT customer_id AS "customer_id!", metric AS "metric!", date_trunc('hour', occurred_at, 'UTC') AS "hour!" FROM usage_outbox
           UNION
           SELECT batches.customer_id, event.metric, date_trunc('hour', event.occurred_at, 'UTC')
           FROM usage_outbox_batches AS batches, unnest(batches.metrics, batches.occurred_at) AS event (metric, occurred_at)"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let metric = crate::store::postgres::decode(&row.metric)?;
            Ok(UsageHour { customer: CustomerId(row.customer_id), metric, start: row.hour })
        })
        .collect()
}

/// Greater than every earlier number.
pub async fn next_version(conn: &mut PgConnection) -> sqlx::Result<u64> {
    let version = sqlx::query_scalar!(r#"SELECT nextval('usage_hours_version') AS "version!""#).fetch_one(conn).await?;
    Ok(u64::try_from(version).unwrap_or(0))
}

/// Whether PostgreSQL has raw events from before the switch.
pub async fn holds_raw_events(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM usage_events) AS "any!""#).fetch_one(conn).await
}

/// Removes and returns PostgreSQL's raw events of these hours from before the switch, in the
/// caller's transaction.
pub fn hand_over<'e>(conn: &'e mut PgConnection, hours: &[UsageHour]) -> BoxStream<'e, sqlx::Result<RawEvent>> {
    let customers: Vec<Uuid> = hours.iter().map(|hour| hour.customer.0).collect();
    let metrics: Vec<String> = hours.iter().map(|hour| hour.metric.as_str().to_owned()).collect();
    let starts: Vec<OffsetDateTime> = hours.iter().map(|hour| hour.start).collect();
    let first = starts.iter().min().copied();
    let last = starts.iter().max().map(|start| *start + time::Duration::HOUR);
    sqlx::query_as!(
        RawEvent,
        r#"DELETE FROM usage_events AS e
           USING unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS h (customer_id, metric, hour)
           WHERE e.occurred_at >= $4 AND e.occurred_at < $5
             AND e.customer_id = h.customer_id AND e.metric = h.metric AND date_trunc('hour', e.occurred_at, 'UTC') = h.hour
           RETURNING e.customer_id, e.event_id, e.app_id, e.metric, e.quantity, e.occurred_at, e.properties::text AS properties, e.received_at"#,
        &customers,
        &metrics,
        &starts,
        first,
        last,
    )
    .fetch(conn)
    .boxed()
}
