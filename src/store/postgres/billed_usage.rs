//! Usage of invoiced periods at the time of their invoices.

use crate::domain::{identity::CustomerId, metric::Metric};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A metric of an invoiced period whose usage has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub customer: CustomerId,
    pub invoice: Uuid,
    pub metric: String,
    pub before: i64,
    pub after: i64,
}

/// Advisory lock: only one process checks at a time.
const LOCK: i64 = 0x4249_4c4c_5553;

/// Takes the lock until the transaction ends. False if another process has it.
pub async fn lead(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "led!""#, LOCK).fetch_one(conn).await
}

/// Starts and ends of periods of recently finalized invoices that lie within an unsplit hour.
pub async fn unsplit(pool: &PgPool, since: OffsetDateTime) -> sqlx::Result<Vec<(CustomerId, OffsetDateTime)>> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT customer_id AS "customer!", at AS "at!"
           FROM invoices, LATERAL (VALUES (period_start), (period_end)) AS boundary(at)
           WHERE finalized_at >= $1 AND stripe_subscription_id IS NOT NULL AND status <> 'void' AND NOT deleted AND period_end <= finalized_at
             AND at <> date_trunc('hour', at, 'UTC')
             AND NOT EXISTS (SELECT FROM usage_hour_splits split WHERE split.customer_id = invoices.customer_id AND split.at = boundary.at)"#,
        since,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (CustomerId(row.customer), row.at)).collect())
}

/// Stores the usage of the periods of recently finalized invoices, if not stored yet; returns the
/// number of invoices.
pub async fn remember(conn: &mut PgConnection, since: OffsetDateTime, at: OffsetDateTime) -> sqlx::Result<u64> {
    sqlx::query!(
        r#"INSERT INTO billed_usage (invoice_id, metric, quantity, noticed_at)
           SELECT invoice.id, metric, (
                      SELECT least(coalesce(sum(record.quantity), 0), 9223372036854775807)::bigint FROM usage_records record
                      WHERE record.customer_id = invoice.customer_id AND record.metric = metrics.metric
                        AND record.hour >= invoice.period_start AND record.hour < invoice.period_end), $2
           FROM invoices invoice, unnest($3::text[]) AS metrics(metric)
           WHERE invoice.finalized_at >= $1 AND invoice.stripe_subscription_id IS NOT NULL AND invoice.status <> 'void' AND NOT invoice.deleted
             AND invoice.period_end <= invoice.finalized_at
             AND NOT EXISTS (SELECT FROM billed_usage WHERE billed_usage.invoice_id = invoice.id)
           ORDER BY invoice.id, metric
           ON CONFLICT DO NOTHING"#,
        since,
        at,
        &Metric::names() as &[&str],
    )
    .execute(conn)
    .await
    .map(|done| done.rows_affected() / Metric::ALL.len() as u64)
}

/// Finds changed usage, and stores the new values.
pub async fn changes(conn: &mut PgConnection, since: OffsetDateTime, at: OffsetDateTime) -> sqlx::Result<Vec<Change>> {
    let rows = sqlx::query!(
        r#"WITH now_is AS MATERIALIZED (
               SELECT billed.invoice_id, billed.metric, invoice.customer_id, billed.quantity AS before, (
                          SELECT least(coalesce(sum(record.quantity), 0), 9223372036854775807)::bigint FROM usage_records record
                          WHERE record.customer_id = invoice.customer_id AND record.metric = billed.metric
                            AND record.hour >= invoice.period_start AND record.hour < invoice.period_end) AS quantity
               FROM billed_usage billed JOIN invoices invoice ON invoice.id = billed.invoice_id
               WHERE invoice.finalized_at >= $1 AND invoice.stripe_subscription_id IS NOT NULL
           )
           UPDATE billed_usage billed SET quantity = now_is.quantity, noticed_at = $2
           FROM now_is
           WHERE billed.invoice_id = now_is.invoice_id AND billed.metric = now_is.metric AND billed.quantity <> now_is.quantity
           RETURNING now_is.customer_id, billed.invoice_id, billed.metric, now_is.before, now_is.quantity AS "after!""#,
        since,
        at,
    )
    .fetch_all(conn)
    .await?;
    let change = rows.into_iter().map(|row| Change {
        customer: CustomerId(row.customer_id),
        invoice: row.invoice_id,
        metric: row.metric,
        before: row.before,
        after: row.after,
    });
    Ok(change.collect())
}
