//! The webhook inbox: every event with a valid signature, and its processing status.

pub mod fetch;
mod neighbours;
mod record;
pub mod staff;
pub mod ties;

pub use neighbours::neighbours;
pub use record::{Attempt, Record, record};

use crate::{
    domain::{
        identity::CustomerId,
        invoice::{
            TimelineEntry,
            timeline::{Happened, tell},
        },
        money::{Currency, Money},
        refund::Share,
    },
    store::postgres::mirror::refunds,
};
use sqlx::{PgConnection, PgExecutor, PgPool};
use std::collections::HashSet;
use time::OffsetDateTime;

/// Which of these events are stored.
pub async fn stored(db: impl PgExecutor<'_>, stripe_event_ids: &[&str]) -> sqlx::Result<HashSet<String>> {
    sqlx::query_scalar!("SELECT stripe_event_id FROM stripe_webhook_events WHERE stripe_event_id = ANY($1)", stripe_event_ids as &[&str])
        .fetch_all(db)
        .await
        .map(|ids| ids.into_iter().collect())
}

/// The body of the last applied event about this object.
pub async fn last_payload(pool: &PgPool, object_id: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "SELECT payload FROM stripe_webhook_events WHERE object_id = $1 AND status = 'applied' ORDER BY id DESC LIMIT 1",
        object_id
    )
    .fetch_optional(pool)
    .await
}

/// Queues the events that were ignored only because this Stripe customer was unknown; returns how
/// many. Call it in the transaction that adds the customer, under `mirror::lock_claim`.
pub async fn take_up(conn: &mut PgConnection, stripe_customer_id: &str) -> sqlx::Result<u64> {
    sqlx::query!(
        "UPDATE stripe_webhook_events SET status = 'received', attempts = 0, last_error = NULL, processed_at = NULL, awaits_customer = NULL
         WHERE awaits_customer = $1 AND status = 'ignored'",
        stripe_customer_id,
    )
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
}

/// A stored event that is due.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub id: i64,
    pub payload: String,
    /// Earlier attempts to apply it.
    pub attempts: i32,
}

/// The oldest due event that no other process is working on: one never attempted, or a failed one
/// after its delay.
///
/// The delay is a minute, and four times longer after every failure, up to a day.
pub async fn next_waiting(conn: &mut PgConnection, now: OffsetDateTime) -> sqlx::Result<Option<Waiting>> {
    sqlx::query_as!(
        Waiting,
        r#"SELECT id, payload, attempts FROM stripe_webhook_events
           WHERE NOT awaits_fetch AND (status = 'received'
              OR (status = 'failed' AND processed_at <= $1::timestamptz - least(interval '1 minute' * power(4, least(attempts, 10) - 1), interval '1 day')))
           ORDER BY id LIMIT 1
           FOR UPDATE SKIP LOCKED"#,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// The history of this customer's invoice from applied events, oldest first.
pub async fn timeline(pool: &PgPool, customer: CustomerId, stripe_invoice_id: &str) -> sqlx::Result<Vec<TimelineEntry>> {
    let rows = sqlx::query_file!("src/store/postgres/inbox/timeline.sql", customer.0, stripe_invoice_id).fetch_all(pool).await?;
    let shares = refunds::shares(pool, &[stripe_invoice_id]).await?;
    let shares: Vec<&Share> = shares.of(customer, stripe_invoice_id).collect();
    let share_of = |refund: &str| shares.iter().find(|share| share.refund.as_deref() == Some(refund)).map(|share| share.amount);
    // A charge may have paid several invoices: refunds of the others are left out.
    let concerns = |event_type: &str, object_id: &str| match event_type {
        "charge.refunded" => !shares.is_empty(),
        _ => !event_type.starts_with("refund.") || share_of(object_id).is_some(),
    };
    let rows = rows.into_iter().filter(|row| concerns(&row.event_type, &row.object_id));
    let happened = rows.map(|row| Happened {
        at: row.at,
        number: row.number,
        amount: row
            .amount
            .map(|amount| share_of(&row.object_id).unwrap_or(amount))
            .zip(row.currency.and_then(|code| code.parse::<Currency>().ok()))
            .map(|(amount, currency)| Money::new(amount, currency)),
        event_type: row.event_type,
        object_id: row.object_id,
    });
    Ok(tell(happened.collect()))
}

/// Number of unfinished stored events: queued, to be retried, or for staff.
pub async fn unsettled(pool: &PgPool) -> sqlx::Result<Unsettled> {
    sqlx::query_as!(
        Unsettled,
        r#"SELECT count(*) FILTER (WHERE status = 'received') AS "received!", count(*) FILTER (WHERE status = 'failed') AS "failed!",
                  count(*) FILTER (WHERE status = 'dead') AS "dead!", min(created_at) FILTER (WHERE status = 'received') AS oldest_received_at
           FROM stripe_webhook_events WHERE status IN ('received', 'failed', 'dead')"#
    )
    .fetch_one(pool)
    .await
}

/// See [`unsettled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsettled {
    pub received: i64,
    pub failed: i64,
    pub dead: i64,
    /// Time of the oldest event that was never attempted.
    pub oldest_received_at: Option<OffsetDateTime>,
}
