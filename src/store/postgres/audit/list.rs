//! The audit log, as staff read it.

use crate::domain::{audit::AuditEntry, identity::CustomerId};
use sqlx::PgPool;
use time::OffsetDateTime;

/// A validated filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The beginning of the entry's type.
    pub event_type: Option<String>,
    /// Part of the actor's name.
    pub actor: Option<String>,
    pub customer: Option<CustomerId>,
    /// Half-open span: from this time,
    pub from: Option<OffsetDateTime>,
    /// up to this time.
    pub to: Option<OffsetDateTime>,
    /// Part of the entry's data or of its address.
    pub search: Option<String>,
    /// Only entries before this one.
    pub before_id: Option<i64>,
    pub limit: i64,
    pub offset: i64,
}

/// Entries, newest first.
pub async fn list(pool: &PgPool, filter: &Filter) -> sqlx::Result<Vec<AuditEntry>> {
    let rows = sqlx::query!(
        r#"SELECT entry.id, entry.event_type, entry.actor, entry.customer_id, customers.name AS "customer?", entry.data, entry.ip_address,
                  entry.user_agent, entry.created_at
           FROM billing_audit entry LEFT JOIN customers ON customers.id = entry.customer_id
           WHERE ($1::text IS NULL OR starts_with(entry.event_type, $1))
             AND ($2::text IS NULL OR strpos(lower(entry.actor), lower($2)) > 0)
             AND ($3::uuid IS NULL OR entry.customer_id = $3)
             AND ($4::timestamptz IS NULL OR entry.created_at >= $4) AND ($5::timestamptz IS NULL OR entry.created_at < $5)
             AND ($6::text IS NULL OR strpos(lower(entry.data::text), lower($6)) > 0 OR entry.ip_address = $6)
             AND ($7::bigint IS NULL OR entry.id < $7)
           ORDER BY entry.id DESC
           LIMIT $8 OFFSET $9"#,
        filter.event_type,
        filter.actor,
        filter.customer.map(|id| id.0),
        filter.from,
        filter.to,
        filter.search,
        filter.before_id,
        filter.limit,
        filter.offset,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| AuditEntry {
            id: row.id,
            event_type: row.event_type,
            actor: row.actor,
            customer_id: row.customer_id.map(CustomerId),
            customer: row.customer,
            data: row.data,
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            created_at: row.created_at,
        })
        .collect())
}

/// Number of matching entries, counted up to `most`, the last page.
pub async fn count(pool: &PgPool, filter: &Filter, most: i64) -> sqlx::Result<u64> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM (
               SELECT FROM billing_audit entry
               WHERE ($1::text IS NULL OR starts_with(entry.event_type, $1))
                 AND ($2::text IS NULL OR strpos(lower(entry.actor), lower($2)) > 0)
                 AND ($3::uuid IS NULL OR entry.customer_id = $3)
                 AND ($4::timestamptz IS NULL OR entry.created_at >= $4) AND ($5::timestamptz IS NULL OR entry.created_at < $5)
                 AND ($6::text IS NULL OR strpos(lower(entry.data::text), lower($6)) > 0 OR entry.ip_address = $6)
               LIMIT $7
           ) AS entries"#,
        filter.event_type,
        filter.actor,
        filter.customer.map(|id| id.0),
        filter.from,
        filter.to,
        filter.search,
        most,
    )
    .fetch_one(pool)
    .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The existing types, by name; steps from one to the next along the index, independent of the
/// number of entries.
pub async fn event_types(pool: &PgPool) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"WITH RECURSIVE known(event_type) AS (
               (SELECT event_type FROM billing_audit ORDER BY event_type LIMIT 1)
               UNION ALL
               SELECT (SELECT event_type FROM billing_audit WHERE event_type > known.event_type ORDER BY event_type LIMIT 1)
               FROM known WHERE known.event_type IS NOT NULL
           )
           SELECT event_type AS "event_type!" FROM known WHERE event_type IS NOT NULL"#
    )
    .fetch_all(pool)
    .await
}
