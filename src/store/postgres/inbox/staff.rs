//! The inbox as staff read it, and events to replay.

use crate::domain::{
    identity::CustomerId,
    webhook::{WebhookCounts, WebhookDetail, WebhookStatus, WebhookSummary},
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A validated filter.
#[derive(Clone, Debug)]
pub struct Filter {
    pub status: Option<WebhookStatus>,
    /// The beginning of the event's type.
    pub event_type: Option<String>,
    /// Part of the event's id or its object's id.
    pub search: Option<String>,
    pub limit: i64,
    pub offset: i64,
}

struct Row {
    stripe_event_id: String,
    event_type: String,
    status: String,
    attempts: i32,
    last_error: Option<String>,
    object_id: Option<String>,
    customer: Option<String>,
    created_at: OffsetDateTime,
    processed_at: Option<OffsetDateTime>,
}

impl Row {
    fn summary(self) -> sqlx::Result<WebhookSummary> {
        Ok(WebhookSummary {
            id: self.stripe_event_id,
            event_type: self.event_type,
            status: status(&self.status)?,
            attempts: u32::try_from(self.attempts).unwrap_or(0),
            error: self.last_error,
            object_id: self.object_id,
            customer: self.customer,
            received_at: self.created_at,
            processed_at: self.processed_at,
        })
    }
}

fn status(text: &str) -> sqlx::Result<WebhookStatus> {
    text.parse().map_err(|error: String| sqlx::Error::Decode(error.into()))
}

/// One page of the inbox, newest first.
pub async fn list(pool: &PgPool, filter: &Filter) -> sqlx::Result<Vec<WebhookSummary>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT event.stripe_event_id, event.event_type, event.status, event.attempts, event.last_error, event.object_id,
                  customers.name AS "customer?", event.created_at, event.processed_at
           FROM stripe_webhook_events event LEFT JOIN customers ON customers.id = event.customer_id
           WHERE ($1::text IS NULL OR event.status = $1) AND ($2::text IS NULL OR starts_with(event.event_type, $2))
             AND ($3::text IS NULL OR strpos(lower(event.stripe_event_id), lower($3)) > 0 OR strpos(lower(event.object_id), lower($3)) > 0)
           ORDER BY event.created_at DESC, event.id DESC
           LIMIT $4 OFFSET $5"#,
        filter.status.map(WebhookStatus::as_str),
        filter.event_type,
        filter.search,
        filter.limit,
        filter.offset,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Row::summary).collect()
}

/// Number of events per status, with the filter's other parts applied.
pub async fn counts(pool: &PgPool, filter: &Filter) -> sqlx::Result<WebhookCounts> {
    let rows = sqlx::query!(
        r#"SELECT status, count(*) AS "count!" FROM stripe_webhook_events
           WHERE ($1::text IS NULL OR starts_with(event_type, $1))
             AND ($2::text IS NULL OR strpos(lower(stripe_event_id), lower($2)) > 0 OR strpos(lower(object_id), lower($2)) > 0)
           GROUP BY status"#,
        filter.event_type,
        filter.search,
    )
    .fetch_all(pool)
    .await?;
    let mut counts = WebhookCounts::default();
    for row in rows {
        let count = u64::try_from(row.count).unwrap_or(0);
        match status(&row.status)? {
            WebhookStatus::Received => counts.received = count,
            WebhookStatus::Applied => counts.applied = count,
            WebhookStatus::Ignored => counts.ignored = count,
            WebhookStatus::Failed => counts.failed = count,
            WebhookStatus::Dead => counts.dead = count,
        }
    }
    Ok(counts)
}

/// One event with its payload, by Stripe's id.
pub async fn event(pool: &PgPool, stripe_event_id: &str) -> sqlx::Result<Option<WebhookDetail>> {
    let found = sqlx::query!(
        r#"SELECT event.stripe_event_id, event.event_type, event.status, event.attempts, event.last_error, event.object_id,
                  customers.name AS "customer?", event.created_at, event.processed_at,
                  event.api_version, event.livemode, event.stripe_invoice_id, event.stripe_created_at, event.payload
           FROM stripe_webhook_events event LEFT JOIN customers ON customers.id = event.customer_id
           WHERE event.stripe_event_id = $1"#,
        stripe_event_id,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = found else { return Ok(None) };
    let summary = Row {
        stripe_event_id: row.stripe_event_id,
        event_type: row.event_type,
        status: row.status,
        attempts: row.attempts,
        last_error: row.last_error,
        object_id: row.object_id,
        customer: row.customer,
        created_at: row.created_at,
        processed_at: row.processed_at,
    };
    Ok(Some(WebhookDetail {
        summary: summary.summary()?,
        api_version: row.api_version,
        livemode: row.livemode,
        stripe_invoice_id: row.stripe_invoice_id,
        happened_at: row.stripe_created_at,
        payload: row.payload,
    }))
}

/// A stored event that this transaction has locked.
#[derive(Clone, Debug)]
pub struct Held {
    pub id: i64,
    pub payload: String,
    /// Earlier attempts to apply it.
    pub attempts: i32,
    /// Its status before the lock.
    pub status: WebhookStatus,
    pub customer: Option<CustomerId>,
}

/// Resets an event to `received` and locks it until the transaction ends; concurrent replays wait.
pub async fn take(conn: &mut PgConnection, stripe_event_id: &str) -> sqlx::Result<Option<Held>> {
    let found = sqlx::query!(
        "SELECT id, payload, attempts, status, customer_id FROM stripe_webhook_events WHERE stripe_event_id = $1 FOR UPDATE",
        stripe_event_id,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = found else { return Ok(None) };
    sqlx::query!("UPDATE stripe_webhook_events SET status = 'received', last_error = NULL WHERE id = $1", row.id).execute(conn).await?;
    Ok(Some(Held {
        id: row.id,
        payload: row.payload,
        attempts: row.attempts,
        status: status(&row.status)?,
        customer: row.customer_id.map(|id: Uuid| CustomerId(id)),
    }))
}

/// Failed events, at most `limit`, least attempts first, so that repeated runs reach all of them.
pub async fn failures(pool: &PgPool, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "SELECT stripe_event_id FROM stripe_webhook_events WHERE status IN ('failed', 'dead') ORDER BY attempts, id LIMIT $1",
        limit,
    )
    .fetch_all(pool)
    .await
}
