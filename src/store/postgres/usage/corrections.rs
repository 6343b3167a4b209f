//! Corrections: replace an event's quantity, once per correction.

use super::ids;
use crate::{
    domain::{identity::CustomerId, usage_event::Correction},
    store::postgres::{
        audit::{self, Entry},
        outbox,
    },
};
use serde_json::json;
use sqlx::PgConnection;

/// Locks the event against other corrections until the transaction ends.
pub async fn lock(conn: &mut PgConnection, customer: CustomerId, event_id: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended('usage_corrections/' || $1 || '/' || $2, 0))",
        customer.to_string(),
        event_id
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Claims the correction's id; false if an event or a correction already has it.
pub async fn claim(conn: &mut PgConnection, customer: CustomerId, id: &str) -> sqlx::Result<bool> {
    ids::claim(conn, customer, id).await
}

/// The event's quantity by its last correction; None without one.
pub async fn corrected(conn: &mut PgConnection, customer: CustomerId, correction: &Correction) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "SELECT quantity FROM usage_corrections
         WHERE customer_id = $1 AND event_id = $2 AND metric = $3 AND app_id = $4 AND occurred_at = $5 ORDER BY id DESC LIMIT 1",
        customer.0,
        correction.corrects,
        correction.event.metric.as_str(),
        correction.event.app_id,
        correction.event.timestamp,
    )
    .fetch_optional(conn)
    .await
}

/// Updates the raw event in PostgreSQL and returns its previous content; None if it isn't there.
pub async fn replace(conn: &mut PgConnection, customer: CustomerId, correction: &Correction) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"WITH original AS MATERIALIZED (
               SELECT quantity FROM usage_events
               WHERE customer_id = $1 AND event_id = $2 AND metric = $3 AND app_id = $4 AND occurred_at = $5
           ), replaced AS (
               UPDATE usage_events SET quantity = $6, received_at = now()
               WHERE customer_id = $1 AND event_id = $2 AND metric = $3 AND app_id = $4 AND occurred_at = $5
           )
           SELECT quantity FROM original"#,
        customer.0,
        correction.corrects,
        correction.event.metric.as_str(),
        correction.event.app_id,
        correction.event.timestamp,
        quantity(correction),
    )
    .fetch_optional(conn)
    .await
}

/// The content of the event in a queue to ClickHouse; None if it isn't queued.
pub async fn queued(conn: &mut PgConnection, customer: CustomerId, correction: &Correction) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"SELECT quantity AS "quantity!" FROM (
               (SELECT quantity FROM usage_outbox
                WHERE customer_id = $1 AND event_id = $2 AND metric = $3 AND app_id = $4 AND occurred_at = $5 ORDER BY id DESC LIMIT 1)
               UNION ALL
               (SELECT event.quantity
                FROM usage_outbox_batches AS batches,
                     unnest(event_ids, metrics, app_ids, batches.occurred_at, quantities) AS event (id, metric, app, at, quantity)
                WHERE customer_id = $1 AND $5 BETWEEN earliest AND latest AND $2 = ANY (event_ids)
                  AND event.id = $2 AND event.metric = $3 AND event.app = $4 AND event.at = $5
                LIMIT 1)
           ) AS waiting LIMIT 1"#,
        customer.0,
        correction.corrects,
        correction.event.metric.as_str(),
        correction.event.app_id,
        correction.event.timestamp,
    )
    .fetch_optional(conn)
    .await
}

/// Queues the event again with its new quantity: in ClickHouse the later row wins.
pub async fn queue(conn: &mut PgConnection, customer: CustomerId, correction: &Correction) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO usage_outbox (customer_id, event_id, app_id, metric, quantity, occurred_at, properties, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb, clock_timestamp())",
        customer.0,
        correction.corrects,
        correction.event.app_id,
        correction.event.metric.as_str(),
        quantity(correction),
        correction.event.timestamp,
        correction.event.properties,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Adds the difference to the event's hour, or its part.
pub async fn count(conn: &mut PgConnection, customer: CustomerId, correction: &Correction, before: i64) -> sqlx::Result<()> {
    // A separate statement, so that it sees splits committed before the lock was acquired.
    sqlx::query!("SELECT pg_advisory_xact_lock_shared(hashtext('usage_records'))").execute(&mut *conn).await?;
    sqlx::query!(
        "UPDATE usage_records SET quantity = least(quantity::numeric + $5::bigint - $6::bigint, 9223372036854775807)::bigint, updated_at = now()
         WHERE customer_id = $1 AND metric = $2 AND app_id = $3 AND hour = usage_part_start($1, $4::timestamptz)",
        customer.0,
        correction.event.metric.as_str(),
        correction.event.app_id,
        correction.event.timestamp,
        quantity(correction),
        before,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Stores the correction with its audit row and its domain event.
pub async fn record(conn: &mut PgConnection, customer: CustomerId, correction: &Correction, before: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO usage_corrections (customer_id, correction_id, event_id, metric, app_id, occurred_at, quantity_before, quantity)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        customer.0,
        correction.event.id,
        correction.corrects,
        correction.event.metric.as_str(),
        correction.event.app_id,
        correction.event.timestamp,
        before,
        quantity(correction),
    )
    .execute(&mut *conn)
    .await?;
    let data = json!({"event_id": correction.corrects, "correction_id": correction.event.id, "metric": correction.event.metric,
        "before": before, "after": correction.event.quantity});
    let entry = Entry {
        event_type: "usage.corrected",
        actor: "api_key",
        customer: Some(customer),
        data: data.clone(),
        ip_address: None,
        user_agent: None,
    };
    audit::record(conn, entry).await?;
    outbox::publish(conn, "usage.corrected", Some(customer), data).await
}

fn quantity(correction: &Correction) -> i64 {
    i64::try_from(correction.event.quantity).unwrap_or(i64::MAX)
}
