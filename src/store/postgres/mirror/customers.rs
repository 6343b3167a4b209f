//! Mirrored customers: how they become known, and their data from Stripe.

use super::{LOCK_SPACE, Put, Row};
use crate::domain::{identity::CustomerId, mirror::snapshot::CustomerSnapshot};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

/// Until the transaction ends, no other transaction decides whether this platform has a Stripe
/// customer. It is taken by transactions that add the customer and queue its ignored events, and by
/// those that are about to ignore an event, so that neither misses the other.
pub async fn lock_claim(conn: &mut PgConnection, stripe_customer_id: &str) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1, hashtext($2))", LOCK_SPACE + 2, stripe_customer_id).fetch_one(conn).await?;
    Ok(())
}

/// Adds a Stripe customer to this platform; [`put_customer`] adds its data.
pub async fn add_customer(conn: &mut PgConnection, customer: &CustomerSnapshot) -> sqlx::Result<CustomerId> {
    let id = sqlx::query_scalar!("INSERT INTO customers (stripe_customer_id, name) VALUES ($1, $1) RETURNING id", customer.id)
        .fetch_one(conn)
        .await?;
    Ok(CustomerId(id))
}

/// Gives a customer its Stripe id; None if the customer doesn't exist or has one.
pub async fn link_customer(conn: &mut PgConnection, id: Uuid, stripe_customer_id: &str) -> sqlx::Result<Option<CustomerId>> {
    let id = sqlx::query_scalar!(
        "UPDATE customers SET stripe_customer_id = $2, added_name = coalesce(added_name, name), added_email = coalesce(added_email, email),
             added_currency = coalesce(added_currency, currency)
         WHERE id = $1 AND stripe_customer_id IS NULL RETURNING id",
        id,
        stripe_customer_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(CustomerId))
}

/// Writes Stripe's data of known customers.
pub(super) async fn put_customers(conn: &mut PgConnection, rows: &[Row<'_, CustomerSnapshot>], how: Put) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"WITH incoming AS MATERIALIZED (
               SELECT jsonb_populate_record(NULL::customers, json) AS row, (json ->> 'customer_id')::uuid AS customer_id, json ->> 'stripe_customer_id' AS told_as
               FROM jsonb_array_elements($1::jsonb) AS json
           )
           UPDATE customers AS kept SET
               name = coalesce((row).name, kept.added_name, (row).email, kept.stripe_customer_id, kept.name),
               email = coalesce((row).email, kept.added_email), currency = coalesce((row).currency, kept.added_currency, 'usd'),
               address = (row).address, tax_ids = (row).tax_ids, preferred_locale = (row).preferred_locale, balance = (row).balance,
               deleted = (row).deleted, event_created_at = (row).event_created_at, event_rank = (row).event_rank,
               event_progress = (row).event_progress, event_id = (row).event_id
           FROM incoming
           WHERE kept.id = incoming.customer_id
             AND (kept.event_id IS NULL OR ((row).deleted, (row).event_created_at) > (kept.deleted, kept.event_created_at)
                  OR ($2 AND ((row).deleted, (row).event_created_at) = (kept.deleted, kept.event_created_at) AND (row).event_id <> kept.event_id))
           RETURNING told_as AS "told_as!""#,
        Json(rows) as _,
        how == Put::Chosen,
    )
    .fetch_all(conn)
    .await
}
