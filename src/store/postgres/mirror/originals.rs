//! Stripe's objects of the mirror's rows, from the stored events: the demo fills its stand-in with
//! them.

use sqlx::PgPool;
use time::OffsetDateTime;

/// A mirrored object.
#[derive(Clone, Debug)]
pub struct Original {
    /// Stripe's id.
    pub object_id: String,
    /// The event that wrote its row last.
    pub payload: String,
}

/// All objects except customers, oldest event first.
pub async fn originals(pool: &PgPool) -> sqlx::Result<Vec<Original>> {
    sqlx::query_as!(
        Original,
        r#"SELECT mirrored.object_id AS "object_id!", event.payload
           FROM (SELECT stripe_subscription_id AS object_id, event_id FROM subscriptions
                 UNION ALL SELECT stripe_invoice_id, event_id FROM invoices WHERE NOT deleted
                 UNION ALL SELECT stripe_payment_id, event_id FROM invoice_payments WHERE NOT from_invoice
                 UNION ALL SELECT stripe_charge_id, event_id FROM charges
                 UNION ALL SELECT stripe_refund_id, event_id FROM refunds
                 UNION ALL SELECT stripe_credit_note_id, event_id FROM credit_notes) AS mirrored
                JOIN stripe_webhook_events event ON event.stripe_event_id = mirrored.event_id COLLATE "default"
           ORDER BY event.stripe_created_at, event.id"#,
    )
    .fetch_all(pool)
    .await
}

/// A customer with a Stripe id.
#[derive(Clone, Debug)]
pub struct Customer {
    pub stripe_customer_id: String,
    pub name: String,
    pub email: Option<String>,
    pub currency: String,
    /// Minor units of `currency`.
    pub balance: i64,
    pub created_at: OffsetDateTime,
    /// The event that wrote its row last; None before the first.
    pub payload: Option<String>,
}

/// The customers, oldest first.
pub async fn customers(pool: &PgPool) -> sqlx::Result<Vec<Customer>> {
    sqlx::query_as!(
        Customer,
        r#"SELECT stripe_customer_id AS "stripe_customer_id!", name, email, currency, balance, customers.created_at,
                  event.payload AS "payload?"
           FROM customers LEFT JOIN stripe_webhook_events event ON event.stripe_event_id = customers.event_id COLLATE "default"
           WHERE stripe_customer_id IS NOT NULL AND NOT deleted
           ORDER BY customers.created_at, customers.id"#,
    )
    .fetch_all(pool)
    .await
}

/// The latest events of Stripe since then, oldest first; without those of fetched objects.
pub async fn events_since(pool: &PgPool, since: OffsetDateTime, limit: i64) -> sqlx::Result<Vec<String>> {
    let mut payloads = sqlx::query_scalar!(
        r"SELECT payload FROM stripe_webhook_events
          WHERE stripe_created_at >= $1 AND starts_with(stripe_event_id, 'evt_') ORDER BY stripe_created_at DESC, id DESC LIMIT $2",
        since,
        limit,
    )
    .fetch_all(pool)
    .await?;
    payloads.reverse();
    Ok(payloads)
}

/// Ids of the events applied to an object.
pub async fn applied_to(pool: &PgPool, object_id: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!("SELECT stripe_event_id FROM stripe_webhook_events WHERE object_id = $1 AND status = 'applied'", object_id)
        .fetch_all(pool)
        .await
}
