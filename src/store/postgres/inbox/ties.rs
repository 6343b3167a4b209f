//! Objects with several events in one second whose order is unknown. They are fetched again after
//! that second.

use sqlx::{PgConnection, PgPool};
use std::collections::HashSet;
use time::OffsetDateTime;

/// Maximum number of attempts before the last resort's choice stays: with the delays of [`due`],
/// some four days.
const MOST_ATTEMPTS: i32 = 10;

/// An object's second with an unknown order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tie<'a> {
    /// Stripe's object type.
    pub kind: &'a str,
    pub object_id: &'a str,
    pub second: OffsetDateTime,
}

/// Stores ties for which the mirror has no later second; returns the objects of the new ones.
pub async fn note(conn: &mut PgConnection, ties: &[Tie<'_>]) -> sqlx::Result<HashSet<String>> {
    if ties.is_empty() {
        return Ok(HashSet::new());
    }
    sqlx::query_scalar!(
        "INSERT INTO stripe_ties AS kept (object_id, kind, second)
         SELECT DISTINCT ON (object_id) object_id, kind, second FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS tie(object_id, kind, second)
         WHERE second >= coalesce(CASE kind
             WHEN 'invoice' THEN (SELECT event_created_at FROM invoices WHERE stripe_invoice_id = tie.object_id)
             WHEN 'subscription' THEN (SELECT event_created_at FROM subscriptions WHERE stripe_subscription_id = tie.object_id)
             WHEN 'customer' THEN (SELECT event_created_at FROM customers WHERE stripe_customer_id = tie.object_id)
             WHEN 'charge' THEN (SELECT event_created_at FROM charges WHERE stripe_charge_id = tie.object_id)
             WHEN 'refund' THEN (SELECT event_created_at FROM refunds WHERE stripe_refund_id = tie.object_id)
             WHEN 'credit_note' THEN (SELECT event_created_at FROM credit_notes WHERE stripe_credit_note_id = tie.object_id)
             WHEN 'invoice_payment' THEN (SELECT event_created_at FROM invoice_payments WHERE stripe_payment_id = tie.object_id)
         END, second)
         ORDER BY object_id, second DESC
         ON CONFLICT (object_id) DO UPDATE SET second = excluded.second, attempts = 0, tried_at = NULL, last_error = NULL
         WHERE kept.second < excluded.second
         RETURNING object_id",
        &ties.iter().map(|tie| tie.object_id).collect::<Vec<_>>() as &[&str],
        &ties.iter().map(|tie| tie.kind).collect::<Vec<_>>() as &[&str],
        &ties.iter().map(|tie| tie.second).collect::<Vec<_>>(),
    )
    .fetch_all(conn)
    .await
    .map(|ids| ids.into_iter().collect())
}

/// Deletes the ties of objects whose newest snapshot is known.
pub async fn settled(conn: &mut PgConnection, object_ids: &[&str]) -> sqlx::Result<()> {
    if object_ids.is_empty() {
        return Ok(());
    }
    sqlx::query!("DELETE FROM stripe_ties WHERE object_id = ANY($1)", object_ids as &[&str]).execute(conn).await.map(drop)
}

/// A tie whose object must be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub object_id: String,
    pub kind: String,
    pub second: OffsetDateTime,
}

/// Ties whose second is over and whose next attempt is due, least attempts first. The delay is a
/// minute, and four times longer after every attempt, up to a day.
pub async fn due(pool: &PgPool, now: OffsetDateTime, limit: i64) -> sqlx::Result<Vec<Due>> {
    sqlx::query_as!(
        Due,
        r#"SELECT object_id, kind, second FROM stripe_ties
           WHERE second + interval '1 second' <= $1::timestamptz AND attempts < $3
             AND (tried_at IS NULL OR tried_at <= $1::timestamptz - least(interval '1 minute' * power(4, least(attempts, 10) - 1), interval '1 day'))
           ORDER BY attempts, object_id LIMIT $2"#,
        now,
        limit,
        MOST_ATTEMPTS,
    )
    .fetch_all(pool)
    .await
}

/// Records an attempt that did not resolve the tie.
pub async fn tried(pool: &PgPool, object_id: &str, error: &str, at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE stripe_ties SET attempts = attempts + 1, tried_at = $3, last_error = $2 WHERE object_id = $1",
        object_id,
        error,
        at,
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Deletes a tie of this second or an earlier one: a newer snapshot exists.
pub async fn over(pool: &PgPool, object_id: &str, second: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM stripe_ties WHERE object_id = $1 AND second <= $2", object_id, second).execute(pool).await.map(drop)
}
