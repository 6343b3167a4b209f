//! Customers as the platform's staff look for them: nobody else is shown any of this.

use super::decode;
use crate::domain::{
    customer::{CustomerSummary, MirrorState},
    identity::CustomerId,
};
use sqlx::PgPool;

/// One page of the customers whose name, e-mail address or id here or in Stripe holds the text, by name.
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
                plan_type: row.plan_type.as_deref().map(decode).transpose()?,
                subscription_status: row.subscription_status,
                mirror: MirrorState {
                    last_applied_at: row.last_applied_at,
                    failed_events: u64::try_from(row.failed_events).unwrap_or(0),
                    reconciled_at: row.reconciled_at,
                    open_discrepancies: row.open_discrepancies.map(|open| u64::try_from(open).unwrap_or(0)),
                },
                created_at: row.created_at,
            })
        })
        .collect()
}

/// How many there are.
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
