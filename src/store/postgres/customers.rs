//! Customers, for staff only.

use super::decode;
use crate::domain::{
    customer::{CustomerSummary, MirrorState},
    identity::CustomerId,
};
use sqlx::PgPool;

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
