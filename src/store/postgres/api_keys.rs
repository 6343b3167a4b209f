//! API keys, as their customer manages them.

use crate::domain::{identity::CustomerId, settings::ApiKeySummary};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A customer's active keys, newest first.
pub async fn list(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Vec<ApiKeySummary>> {
    sqlx::query_as!(
        ApiKeySummary,
        "SELECT id, name, prefix, created_at, last_used_at FROM api_keys
         WHERE customer_id = $1 AND revoked_at IS NULL ORDER BY created_at DESC, id LIMIT 200",
        customer.0
    )
    .fetch_all(pool)
    .await
}

/// Number of a customer's active keys; locks its row, so that no other process adds one meanwhile.
pub async fn count_for_update(conn: &mut PgConnection, customer: CustomerId) -> sqlx::Result<i64> {
    sqlx::query!("SELECT id FROM customers WHERE id = $1 FOR NO KEY UPDATE", customer.0).fetch_one(&mut *conn).await?;
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM api_keys WHERE customer_id = $1 AND revoked_at IS NULL"#, customer.0)
        .fetch_one(conn)
        .await
}

/// Adds a key by its SHA-256.
pub async fn add(
    conn: &mut PgConnection,
    customer: CustomerId,
    name: &str,
    prefix: &str,
    key_hash: &[u8],
    at: OffsetDateTime,
) -> sqlx::Result<ApiKeySummary> {
    sqlx::query_as!(
        ApiKeySummary,
        "INSERT INTO api_keys (customer_id, name, prefix, key_hash, created_at) VALUES ($1, $2, $3, $4, $5)
         RETURNING id, name, prefix, created_at, last_used_at",
        customer.0,
        name,
        prefix,
        key_hash,
        at,
    )
    .fetch_one(conn)
    .await
}

/// Revokes a customer's key and returns it; None if there is no such active key.
pub async fn revoke(conn: &mut PgConnection, customer: CustomerId, id: Uuid, at: OffsetDateTime) -> sqlx::Result<Option<ApiKeySummary>> {
    sqlx::query_as!(
        ApiKeySummary,
        "UPDATE api_keys SET revoked_at = $3 WHERE customer_id = $1 AND id = $2 AND revoked_at IS NULL
         RETURNING id, name, prefix, created_at, last_used_at",
        customer.0,
        id,
        at,
    )
    .fetch_optional(conn)
    .await
}

/// Records that a key was used.
pub async fn touch(pool: &PgPool, id: Uuid, at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)", id, at)
        .execute(pool)
        .await
        .map(drop)
}
