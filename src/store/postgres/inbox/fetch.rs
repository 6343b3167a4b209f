//! The inbox for fetching from Stripe: which events exist, and which wait for their object.

use crate::domain::webhook::WebhookStatus;
use sqlx::PgPool;
use time::OffsetDateTime;

/// Which of these objects were fetched and stored since an instant of Stripe's clock.
pub async fn fetched(pool: &PgPool, event_type: &str, object_ids: &[String], since: OffsetDateTime) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT DISTINCT object_id AS "object_id!" FROM stripe_webhook_events
           WHERE object_id = ANY($2) AND event_type = $1 AND stripe_created_at >= $3"#,
        event_type,
        object_ids,
        since,
    )
    .fetch_all(pool)
    .await
}

/// An event whose object must be fetched.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub id: i64,
    pub payload: String,
    /// Earlier attempts to fetch it.
    pub attempts: i32,
}

/// Events whose object is due to be fetched, oldest first; delays as in `inbox::next_waiting`.
pub async fn waiting(pool: &PgPool, now: OffsetDateTime, limit: i64) -> sqlx::Result<Vec<Waiting>> {
    sqlx::query_as!(
        Waiting,
        r#"SELECT id, payload, attempts FROM stripe_webhook_events
           WHERE awaits_fetch AND (status = 'received'
              OR (status = 'failed' AND processed_at <= $1::timestamptz - least(interval '1 minute' * power(4, least(attempts, 10) - 1), interval '1 day')))
           ORDER BY id LIMIT $2"#,
        now,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// The status of a stored event.
#[derive(Clone, Debug)]
pub struct Fate {
    pub status: WebhookStatus,
    pub reason: Option<String>,
    pub customer: Option<crate::domain::identity::CustomerId>,
    pub stripe_invoice_id: Option<String>,
}

/// By Stripe's id of the event.
pub async fn fate(pool: &PgPool, stripe_event_id: &str) -> sqlx::Result<Option<Fate>> {
    let row = sqlx::query!(
        "SELECT status, last_error, customer_id, stripe_invoice_id FROM stripe_webhook_events WHERE stripe_event_id = $1",
        stripe_event_id,
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(Fate {
            status: crate::store::postgres::decode(&row.status)?,
            reason: row.last_error,
            customer: row.customer_id.map(crate::domain::identity::CustomerId),
            stripe_invoice_id: row.stripe_invoice_id,
        })
    })
    .transpose()
}
