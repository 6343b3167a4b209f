//! Customers.

use super::decode;
use crate::domain::{
    customer::{CustomerSummary, MirrorState},
    identity::CustomerId,
    money::Currency,
};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;

/// A page of the customers whose name, e-mail address, id or Stripe id contains the text, by name;
/// without their subscriptions.
pub async fn list(pool: &PgPool, search: Option<&str>, limit: i64, offset: i64) -> sqlx::Result<Vec<CustomerSummary>> {
    let rows = sqlx::query_file!("src/store/postgres/customers/list.sql", search, limit, offset).fetch_all(pool).await?;
    rows.into_iter()
        .map(|row| {
            Ok(CustomerSummary {
                id: CustomerId(row.id),
                name: row.name,
                email: row.email,
                stripe_customer_id: row.stripe_customer_id,
                deleted: row.deleted,
                currency: decode(&row.currency)?,
                plan_type: None,
                plan_name: None,
                subscription_status: None,
                unpriced: None,
                mirror: MirrorState {
                    last_applied_at: row.last_applied_at,
                    failed_events: u64::try_from(row.failed_events).unwrap_or(0),
                    reconciled_at: row.reconciled_at,
                    changed_since: row.last_applied_at.zip(row.compared_since).is_some_and(|(changed, compared)| changed > compared),
                    open_discrepancies: row.open_discrepancies.map(|open| u64::try_from(open).unwrap_or(0)),
                },
                created_at: row.created_at,
            })
        })
        .collect()
}

/// Ids of customers with a subscription that has not ended, in order, after one of them.
pub async fn subscribed(pool: &PgPool, after: CustomerId, limit: i64) -> sqlx::Result<Vec<CustomerId>> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM customers WHERE id > $1 AND EXISTS (
             SELECT FROM subscriptions WHERE customer_id = customers.id AND ended_at IS NULL AND NOT deleted)
         ORDER BY id LIMIT $2",
        after.0,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(CustomerId).collect())
}

/// Their number.
pub async fn count(pool: &PgPool, search: Option<&str>) -> sqlx::Result<u64> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM customers
           WHERE $1::text IS NULL OR strpos(lower(name), lower($1)) > 0 OR strpos(lower(email), lower($1)) > 0
              OR strpos(id::text, lower($1)) > 0 OR strpos(lower(stripe_customer_id), lower($1)) > 0"#,
        search
    )
    .fetch_one(pool)
    .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// A customer's name.
pub async fn name(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("SELECT name FROM customers WHERE id = $1", customer.0).fetch_optional(pool).await
}

/// A customer's preferred locale at Stripe.
pub async fn preferred_locale(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Option<String>> {
    let locale = sqlx::query_scalar!("SELECT preferred_locale FROM customers WHERE id = $1", customer.0).fetch_optional(pool).await?;
    Ok(locale.flatten())
}

/// A customer's currency.
pub async fn currency(db: impl PgExecutor<'_>, customer: CustomerId) -> sqlx::Result<Option<Currency>> {
    let code = sqlx::query_scalar!("SELECT currency FROM customers WHERE id = $1", customer.0).fetch_optional(db).await?;
    code.as_deref().map(decode).transpose()
}

/// Whether a customer exists.
pub async fn exists(pool: &PgPool, customer: CustomerId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM customers WHERE id = $1) AS "exists!""#, customer.0).fetch_one(pool).await
}

/// The customer with a Stripe id.
pub async fn by_stripe_id(pool: &PgPool, stripe_customer_id: &str) -> sqlx::Result<Option<CustomerId>> {
    let id = sqlx::query_scalar!("SELECT id FROM customers WHERE stripe_customer_id = $1", stripe_customer_id).fetch_optional(pool).await?;
    Ok(id.map(CustomerId))
}

/// Stripe's id of a customer; None if it has none or doesn't exist.
pub async fn stripe_id(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Option<String>> {
    let id = sqlx::query_scalar!("SELECT stripe_customer_id FROM customers WHERE id = $1", customer.0).fetch_optional(pool).await?;
    Ok(id.flatten())
}

/// The customer added with this name and e-mail address, for repeated commands.
pub async fn added_as(conn: &mut PgConnection, name: &str, email: &str) -> sqlx::Result<Option<CustomerId>> {
    let id = sqlx::query_scalar!(
        "SELECT id FROM customers WHERE coalesce(added_name, name) = $1 AND lower(coalesce(added_email, email)) = lower($2) ORDER BY created_at, id LIMIT 1",
        name,
        email,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(CustomerId))
}

/// A customer's data entered on this platform, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CustomerState {
    pub name: String,
    pub email: Option<String>,
    pub currency: String,
}

/// The customer with a Stripe id before a change, locked until the transaction ends.
pub async fn state(conn: &mut PgConnection, stripe_customer_id: &str) -> sqlx::Result<Option<CustomerState>> {
    sqlx::query_as!(
        CustomerState,
        r#"SELECT coalesce(added_name, name) AS "name!", coalesce(added_email, email) AS email, coalesce(added_currency, currency) AS "currency!"
           FROM customers WHERE stripe_customer_id = $1 FOR NO KEY UPDATE"#,
        stripe_customer_id
    )
    .fetch_optional(conn)
    .await
}

/// Adds a customer that is not in Stripe yet.
pub async fn add(conn: &mut PgConnection, name: &str, email: &str, currency: Currency) -> sqlx::Result<CustomerId> {
    let id = sqlx::query_scalar!(
        "INSERT INTO customers (name, email, currency, added_name, added_email, added_currency) VALUES ($1, $2, $3, $1, $2, $3) RETURNING id",
        name,
        email,
        currency.code(),
    )
    .fetch_one(conn)
    .await?;
    Ok(CustomerId(id))
}

/// A customer's name and e-mail address, as entered on this platform.
pub async fn contact(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Option<(String, Option<String>)>> {
    let row = sqlx::query!(
        r#"SELECT coalesce(added_name, name) AS "name!", coalesce(added_email, email) AS email FROM customers WHERE id = $1"#,
        customer.0
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (row.name, row.email)))
}

/// When a customer was added; None if the Stripe id is unknown.
pub async fn since(pool: &PgPool, stripe_customer_id: &str) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("SELECT created_at FROM customers WHERE stripe_customer_id = $1", stripe_customer_id).fetch_optional(pool).await
}

/// Whether any customer exists.
pub async fn any(pool: &PgPool) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM customers) AS "exists!""#).fetch_one(pool).await
}

/// Adds a customer, or updates the one with this Stripe id; values from Stripe stay unchanged.
pub async fn put(
    conn: &mut PgConnection,
    stripe_customer_id: &str,
    name: &str,
    email: &str,
    currency: Currency,
    at: OffsetDateTime,
) -> sqlx::Result<CustomerId> {
    let id = sqlx::query_scalar!(
        "INSERT INTO customers AS kept (stripe_customer_id, name, email, currency, added_name, added_email, added_currency, created_at)
         VALUES ($1, $2, $3, $4, $2, $3, $4, $5)
         ON CONFLICT (stripe_customer_id) DO UPDATE SET
             name = CASE WHEN kept.event_id IS NULL THEN excluded.name ELSE kept.name END,
             email = CASE WHEN kept.event_id IS NULL THEN excluded.email ELSE kept.email END,
             currency = CASE WHEN kept.event_id IS NULL THEN excluded.currency ELSE kept.currency END,
             added_name = excluded.added_name, added_email = excluded.added_email, added_currency = excluded.added_currency
         RETURNING id",
        stripe_customer_id,
        name,
        email,
        currency.code(),
        at,
    )
    .fetch_one(conn)
    .await?;
    Ok(CustomerId(id))
}
