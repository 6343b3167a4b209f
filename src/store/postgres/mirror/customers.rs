//! Customers, as far as they are Stripe's: how they become known here, and what Stripe says of them.

use super::LOCK_SPACE;
use crate::{
    domain::{identity::CustomerId, mirror::Stamp},
    stripe::webhook::snapshot::CustomerSnapshot,
};
use sqlx::PgConnection;
use uuid::Uuid;

/// Until the transaction ends, nobody else decides whether a Stripe customer is known here. Held both by whoever makes it known and takes up
/// what was ignored before, and by whoever is about to ignore an event: neither can miss the other.
pub async fn lock_acquaintance(conn: &mut PgConnection, stripe_customer_id: &str) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock($1, hashtext($2))", LOCK_SPACE + 2, stripe_customer_id).fetch_one(conn).await?;
    Ok(())
}

/// Adds a customer of Stripe's that is to be one of this platform; what Stripe says of it is for [`put_customer`].
pub async fn add_customer(conn: &mut PgConnection, customer: &CustomerSnapshot) -> sqlx::Result<CustomerId> {
    let id = sqlx::query_scalar!("INSERT INTO customers (stripe_customer_id, name) VALUES ($1, $1) RETURNING id", customer.id)
        .fetch_one(conn)
        .await?;
    Ok(CustomerId(id))
}

/// Gives a customer of this platform its Stripe id; None when there is no such customer or it has one.
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

/// Writes what Stripe says of a customer that is known.
pub async fn put_customer(conn: &mut PgConnection, id: CustomerId, customer: &CustomerSnapshot, stamp: &Stamp) -> sqlx::Result<bool> {
    let written = sqlx::query!(
        r#"UPDATE customers AS kept SET
               name = coalesce($2, kept.added_name, $3, kept.stripe_customer_id, kept.name), email = coalesce($3, kept.added_email),
               currency = coalesce($4, kept.added_currency, 'usd'), address = $5, tax_ids = $6, preferred_locale = $7, balance = $8,
               deleted = $9, event_created_at = $10, event_rank = $11, event_progress = $12, event_id = $13
           WHERE kept.id = $1
             AND (kept.event_id IS NULL
                  OR ($9, $10, $11, $12, $13) > (kept.deleted, kept.event_created_at, kept.event_rank, kept.event_progress, kept.event_id))"#,
        id.0,
        customer.name,
        customer.email,
        customer.currency.map(|currency| currency.code().to_owned()),
        customer.address,
        customer.tax_ids,
        customer.preferred_locale,
        customer.balance,
        stamp.deleted,
        stamp.created,
        stamp.rank,
        stamp.progress,
        stamp.event_id,
    )
    .execute(conn)
    .await?;
    Ok(written.rows_affected() > 0)
}
