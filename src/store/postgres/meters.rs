//! Meter events sent to Stripe, and the claims of workers.

use super::decode;
use crate::domain::{
    identity::CustomerId,
    meter::{Excess, Status},
    metric::Metric,
};
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// A claim on a customer's metric, valid until a newer claim.
#[derive(Clone, Debug)]
pub struct Claim {
    pub customer: CustomerId,
    pub metric: Metric,
    pub number: i64,
    pub stripe_customer_id: String,
}

/// A revision of an hour, as sent to Stripe.
#[derive(Clone, Debug)]
pub struct Row {
    pub hour: OffsetDateTime,
    pub revision: i32,
    pub identifier: String,
    pub event_name: String,
    pub stripe_customer_id: String,
    /// In the metric's own unit.
    pub quantity: i64,
    pub status: Status,
    /// Stripe refused the cancellation.
    pub kept: bool,
    /// Failed attempts.
    pub attempts: i32,
    pub next_attempt_at: OffsetDateTime,
    pub first_tried_at: OffsetDateTime,
    pub sent_at: Option<OffsetDateTime>,
    pub cancelled_at: Option<OffsetDateTime>,
    pub error: Option<String>,
}

/// Creates the rows for all customers with a Stripe id.
pub async fn add(pool: &PgPool, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO usage_meters (customer_id, metric, next_look_at)
         SELECT customers.id, metrics.metric, $1
         FROM customers, unnest($2::text[]) AS metrics(metric)
         WHERE stripe_customer_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM usage_meters WHERE customer_id = customers.id AND usage_meters.metric = metrics.metric)
         ORDER BY 1, 2
         ON CONFLICT DO NOTHING",
        now,
        &Metric::names() as &[&str],
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Claims up to this many customers' metrics that are due and unclaimed.
pub async fn claim(pool: &PgPool, now: OffsetDateTime, until: OffsetDateTime, limit: i64) -> sqlx::Result<Vec<Claim>> {
    let rows = sqlx::query!(
        r#"WITH due AS (
               SELECT customer_id, metric FROM usage_meters
               WHERE next_look_at <= $1 AND (claimed_until IS NULL OR claimed_until <= $1) AND metric = ANY($4)
               ORDER BY next_look_at, customer_id, metric LIMIT $3 FOR UPDATE SKIP LOCKED
           )
           UPDATE usage_meters meter SET claim = meter.claim + 1, claimed_until = $2
           FROM due JOIN customers ON customers.id = due.customer_id
           WHERE meter.customer_id = due.customer_id AND meter.metric = due.metric AND customers.stripe_customer_id IS NOT NULL
           RETURNING meter.customer_id, meter.metric, meter.claim, customers.stripe_customer_id AS "stripe_customer_id!""#,
        now,
        until,
        limit,
        &Metric::names() as &[&str],
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Claim {
                customer: CustomerId(row.customer_id),
                metric: decode(&row.metric)?,
                number: row.claim,
                stripe_customer_id: row.stripe_customer_id,
            })
        })
        .collect()
}

/// Claims a customer's metric, due or not. None if it is claimed or not metered.
pub async fn claim_one(
    pool: &PgPool,
    customer: CustomerId,
    metric: Metric,
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> sqlx::Result<Option<Claim>> {
    let row = sqlx::query!(
        r#"UPDATE usage_meters meter SET claim = meter.claim + 1, claimed_until = $4 FROM customers
           WHERE meter.customer_id = $1 AND meter.metric = $2 AND (claimed_until IS NULL OR claimed_until <= $3)
             AND customers.id = meter.customer_id AND customers.stripe_customer_id IS NOT NULL
           RETURNING meter.claim, customers.stripe_customer_id AS "stripe_customer_id!""#,
        customer.0,
        metric.as_str(),
        now,
        until,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Claim { customer, metric, number: row.claim, stripe_customer_id: row.stripe_customer_id }))
}

/// Extends a claim; false if another worker has it by now. Prevents other claims until the
/// transaction ends.
pub async fn hold(conn: &mut PgConnection, claim: &Claim, until: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query!(
        "UPDATE usage_meters SET claimed_until = $4 WHERE customer_id = $1 AND metric = $2 AND claim = $3",
        claim.customer.0,
        claim.metric.as_str(),
        claim.number,
        until,
    )
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Releases a claim if it is still ours. `behind_since` is the oldest hour with usage left to send.
pub async fn release(pool: &PgPool, claim: &Claim, next_look_at: OffsetDateTime, behind_since: Option<OffsetDateTime>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE usage_meters SET claimed_until = NULL, next_look_at = $4, behind_since = $5
         WHERE customer_id = $1 AND metric = $2 AND claim = $3",
        claim.customer.0,
        claim.metric.as_str(),
        claim.number,
        next_look_at,
        behind_since,
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Since when usage should have been sent: the oldest hour with usage left to send, or the oldest
/// overdue row.
pub async fn behind_since(pool: &PgPool, now: OffsetDateTime) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!(
        "SELECT least((SELECT min(behind_since) FROM usage_meters), (SELECT min(next_look_at) FROM usage_meters WHERE next_look_at <= $1))",
        now,
    )
    .fetch_one(pool)
    .await
}

/// Start of a customer's oldest closed hour of a metric that is not sent yet, as of the last run.
pub async fn behind(pool: &PgPool, customer: CustomerId, metric: Metric) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("SELECT behind_since FROM usage_meters WHERE customer_id = $1 AND metric = $2", customer.0, metric.as_str())
        .fetch_optional(pool)
        .await
        .map(Option::flatten)
}

/// A customer's usage of a metric in the hours of `[from, until)`, over its apps.
pub async fn used(
    pool: &PgPool,
    customer: CustomerId,
    metric: Metric,
    from: OffsetDateTime,
    until: OffsetDateTime,
) -> sqlx::Result<Vec<(OffsetDateTime, u64)>> {
    let rows = sqlx::query!(
        r#"SELECT hour, least(sum(quantity), 9223372036854775807)::bigint AS "quantity!" FROM usage_records
           WHERE customer_id = $1 AND metric = $2 AND hour >= $3 AND hour < $4 GROUP BY hour ORDER BY hour"#,
        customer.0,
        metric.as_str(),
        from,
        until,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.hour, u64::try_from(row.quantity).unwrap_or(0))).collect())
}

/// Revisions of the hours since then, and those in flight; by hour and revision.
pub async fn rows(pool: &PgPool, customer: CustomerId, metric: Metric, from: OffsetDateTime) -> sqlx::Result<Vec<Row>> {
    let rows = sqlx::query!(
        "SELECT hour, revision, identifier, event_name, stripe_customer_id, quantity, status, kept, attempts, next_attempt_at, first_tried_at,
                sent_at, cancelled_at, error
         FROM usage_meter_events
         WHERE customer_id = $1 AND metric = $2 AND (hour >= $3 OR status IN ('sending', 'failed', 'cancelling'))
         ORDER BY hour, revision",
        customer.0,
        metric.as_str(),
        from,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Row {
                hour: row.hour,
                revision: row.revision,
                identifier: row.identifier,
                event_name: row.event_name,
                stripe_customer_id: row.stripe_customer_id,
                quantity: row.quantity,
                status: decode(&row.status)?,
                kept: row.kept,
                attempts: row.attempts,
                next_attempt_at: row.next_attempt_at,
                first_tried_at: row.first_tried_at,
                sent_at: row.sent_at,
                cancelled_at: row.cancelled_at,
                error: row.error,
            })
        })
        .collect()
}

/// Stores a revision's state. Its identifier and quantity never change.
pub async fn put(conn: &mut PgConnection, customer: CustomerId, metric: Metric, row: &Row) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO usage_meter_events
             (customer_id, metric, hour, revision, identifier, event_name, stripe_customer_id, quantity, status, kept, attempts,
              next_attempt_at, first_tried_at, sent_at, cancelled_at, error)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (customer_id, metric, hour, revision) DO UPDATE SET
             event_name = excluded.event_name, stripe_customer_id = excluded.stripe_customer_id, status = excluded.status, kept = excluded.kept,
             attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at, first_tried_at = excluded.first_tried_at,
             sent_at = excluded.sent_at, cancelled_at = excluded.cancelled_at, error = excluded.error",
        customer.0,
        metric.as_str(),
        row.hour,
        row.revision,
        row.identifier,
        row.event_name,
        row.stripe_customer_id,
        row.quantity,
        row.status.as_str(),
        row.kept,
        row.attempts,
        row.next_attempt_at,
        row.first_tried_at,
        row.sent_at,
        row.cancelled_at,
        row.error,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// The first hour that was ever sent.
pub async fn first_hour(pool: &PgPool) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("SELECT min(hour) FROM usage_meter_events").fetch_one(pool).await
}

/// Known excess usage, by the periods' starts since then.
pub async fn excess(
    pool: &PgPool,
    customer: CustomerId,
    metric: Metric,
    since: OffsetDateTime,
) -> sqlx::Result<BTreeMap<OffsetDateTime, Excess>> {
    let rows = sqlx::query!(
        "SELECT period_start, excess, carried FROM usage_meter_excess WHERE customer_id = $1 AND metric = $2 AND period_start >= $3",
        customer.0,
        metric.as_str(),
        since,
    )
    .fetch_all(pool)
    .await?;
    let units = |units: i64| u64::try_from(units).unwrap_or(0);
    Ok(rows.into_iter().map(|row| (row.period_start, Excess { excess: units(row.excess), carried: units(row.carried) })).collect())
}

/// Stores a period's excess usage.
pub async fn put_excess(
    conn: &mut PgConnection,
    customer: CustomerId,
    metric: Metric,
    period_start: OffsetDateTime,
    excess: Excess,
    at: OffsetDateTime,
) -> sqlx::Result<()> {
    let units = |units: u64| i64::try_from(units).unwrap_or(i64::MAX);
    sqlx::query!(
        "INSERT INTO usage_meter_excess (customer_id, metric, period_start, excess, carried, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (customer_id, metric, period_start) DO UPDATE SET
             excess = excluded.excess, carried = excluded.carried, updated_at = excluded.updated_at",
        customer.0,
        metric.as_str(),
        period_start,
        units(excess.excess),
        units(excess.carried),
        at,
    )
    .execute(conn)
    .await
    .map(drop)
}
