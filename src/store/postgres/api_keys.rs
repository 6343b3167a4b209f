//! API keys.

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

/// An active API key.
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub id: Uuid,
    pub name: String,
    pub customer: CustomerId,
    /// Rounded to the minute.
    pub last_used_at: Option<OffsetDateTime>,
}

/// The key with this SHA-256, unless revoked.
pub async fn find(pool: &PgPool, key_hash: &[u8]) -> sqlx::Result<Option<ApiKey>> {
    let row = sqlx::query!("SELECT id, name, customer_id, last_used_at FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL", key_hash)
        .fetch_optional(pool)
        .await?;
    Ok(row.map(|row| ApiKey { id: row.id, name: row.name, customer: CustomerId(row.customer_id), last_used_at: row.last_used_at }))
}

/// Adds a key by its SHA-256; false if it exists, which leaves it unchanged.
pub async fn add_if_new(conn: &mut PgConnection, customer: CustomerId, name: &str, prefix: &str, key_hash: &[u8]) -> sqlx::Result<bool> {
    sqlx::query!(
        "INSERT INTO api_keys (customer_id, name, prefix, key_hash) VALUES ($1, $2, $3, $4) ON CONFLICT (key_hash) DO NOTHING",
        customer.0,
        name,
        prefix,
        key_hash,
    )
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Revokes the keys that begin with a prefix; returns how many.
pub async fn revoke_by_prefix(conn: &mut PgConnection, prefix: &str, at: OffsetDateTime) -> sqlx::Result<u64> {
    sqlx::query!("UPDATE api_keys SET revoked_at = $2 WHERE prefix = $1 AND revoked_at IS NULL", prefix, at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected())
}
