//! What the database itself tells of its schema.

use super::audit::{self, Entry};
use serde_json::json;
use sqlx::PgPool;

/// The `event` of an audit row of the type `error` that a failed migration leaves.
const MIGRATION_FAILED: &str = "database.migration_failed";

/// Where the schema is, and how often it did not get further.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemaState {
    /// The newest migration that is applied; 0 before the first.
    pub version: i64,
    /// Ever, of whichever process.
    pub failures: i64,
}

/// Reads it.
pub async fn state(pool: &PgPool) -> sqlx::Result<SchemaState> {
    // The table is sqlx's own, so that these can't be checked against the migrations.
    let version = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success").fetch_one(pool).await?;
    let failures = sqlx::query_scalar("SELECT count(*) FROM billing_audit WHERE event_type = 'error' AND data ->> 'event' = $1")
        .bind(MIGRATION_FAILED)
        .fetch_one(pool)
        .await?;
    Ok(SchemaState { version, failures })
}

/// Keeps that a migration failed, where there is an audit trail already.
pub(super) async fn note_failure(pool: &PgPool, error: &str) -> sqlx::Result<()> {
    let entry = Entry {
        event_type: "error",
        actor: "system",
        customer: None,
        data: json!({"event": MIGRATION_FAILED, "error": error}),
        ip_address: None,
        user_agent: None,
    };
    audit::record(&mut *pool.acquire().await?, entry).await
}
