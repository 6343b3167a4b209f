//! The database's schema as recorded in the database.

use super::audit::{self, Entry};
use serde_json::json;
use sqlx::{PgPool, migrate::MigrateError};
use time::OffsetDateTime;

/// The `event` of an audit row of type `error` after a failed migration.
const MIGRATION_FAILED: &str = "database.migration_failed";

/// The schema's version, and the number of failed migrations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemaState {
    /// The newest applied migration; 0 before the first.
    pub version: i64,
    /// In total, by all processes.
    pub failures: i64,
}

/// Reads the state.
pub async fn state(pool: &PgPool) -> sqlx::Result<SchemaState> {
    // The table belongs to sqlx, so these queries can't be checked against the migrations.
    let version = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success").fetch_one(pool).await?;
    let failures = sqlx::query_scalar("SELECT count(*) FROM billing_audit WHERE event_type = 'error' AND data ->> 'event' = $1")
        .bind(MIGRATION_FAILED)
        .fetch_one(pool)
        .await?;
    Ok(SchemaState { version, failures })
}

/// The number of the failed migration.
pub(super) const fn number(error: &MigrateError) -> Option<i64> {
    match error {
        MigrateError::ExecuteMigration(_, number)
        | MigrateError::VersionMissing(number)
        | MigrateError::VersionMismatch(number)
        | MigrateError::VersionNotPresent(number)
        | MigrateError::Dirty(number) => Some(*number),
        _ => None,
    }
}

/// Audits a failed migration, if the audit log exists.
pub(super) async fn note_failure(pool: &PgPool, error: &MigrateError) -> sqlx::Result<()> {
    let entry = Entry {
        event_type: "error",
        actor: "system",
        customer: None,
        data: json!({"event": MIGRATION_FAILED, "error": error.to_string(), "migration": number(error)}),
        ip_address: None,
        user_agent: None,
    };
    audit::record(&mut *pool.acquire().await?, entry).await
}

/// One of our tables, including its partitions.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Table {
    pub name: String,
    /// Including indexes.
    pub bytes: i64,
}

/// The existing tables created by this program's migrations.
pub async fn tables(pool: &PgPool) -> sqlx::Result<Vec<Table>> {
    sqlx::query_as(
        "SELECT relname::text AS name,
                coalesce((SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(pg_class.oid)), pg_total_relation_size(oid))::bigint AS bytes
         FROM pg_class
         WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND relname = ANY($1)
         ORDER BY relname",
    )
    .bind(made_by_migrations())
    .fetch_all(pool)
    .await
}

/// Names after `CREATE TABLE`.
fn made_by_migrations() -> Vec<&'static str> {
    let up = super::MIGRATIONS.iter().filter(|migration| migration.migration_type.is_up_migration());
    let mut names: Vec<&str> = up
        .flat_map(|migration| migration.sql.as_str().split("CREATE TABLE ").skip(1))
        .map(|rest| {
            rest.trim_start_matches("IF NOT EXISTS ").split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
        })
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The database's name.
pub async fn database_name(pool: &PgPool) -> sqlx::Result<String> {
    sqlx::query_scalar("SELECT current_database()::text").fetch_one(pool).await
}

/// Number of connections of servers and commands to this database.
pub async fn servers(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1")
        .bind(super::APPLICATION)
        .fetch_one(pool)
        .await
}

/// Time of the newest audit entry; every change adds one.
pub async fn newest_entry(pool: &PgPool) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar("SELECT max(created_at) FROM billing_audit").fetch_one(pool).await
}

/// Drops sqlx's migration table, which is empty after the last migration was reverted.
pub(crate) async fn forget_history(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query("DROP TABLE IF EXISTS _sqlx_migrations").execute(pool).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_create_the_checklists_tables() {
        let names = made_by_migrations();
        for name in ["stripe_webhook_events", "events", "usage_alerts", "billing_idempotency", "billing_audit", "customers", "invoices"] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
    }
}
