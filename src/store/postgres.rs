//! PostgreSQL: one file per noun, the pool and the migrations.

pub mod alerts;
pub mod api_keys;
pub mod audit;
pub mod backfill;
pub mod billed_usage;
pub mod checklist;
pub mod checksums;
pub mod contacts;
pub mod customers;
pub mod features;
pub mod idempotency;
pub mod inbox;
pub mod invoices;
pub mod login_throttle;
pub mod meters;
pub mod mirror;
pub mod outbox;
pub mod reconcile;
pub mod schema;
pub mod sessions;
pub mod storage;
pub mod subscriptions;
pub mod totp;
pub mod usage;
pub mod users;

use crate::config;
use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};
use std::{str::FromStr, time::Duration};

/// The schema's reversible migrations, embedded in the program.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// The `application_name` of servers and commands in `pg_stat_activity`.
const APPLICATION: &str = "apex-billing";

/// Opens the pool, after a single connection: that one reports an error at once, where the pool
/// would only time out.
pub async fn connect(url: &str, settings: &config::Database) -> sqlx::Result<PgPool> {
    connect_as(APPLICATION, url, settings).await
}

/// The same with another application name.
pub async fn connect_as(application: &str, url: &str, settings: &config::Database) -> sqlx::Result<PgPool> {
    let options =
        PgConnectOptions::from_str(url)?.application_name(application).options([("statement_timeout", "30s"), ("timezone", "UTC")]);
    PgConnection::connect_with(&options).await?.close().await?;
    PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(Duration::from_secs(settings.acquire_timeout_seconds))
        .connect_with(options)
        .await
}

/// Checks that the database responds.
pub async fn ping(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query("SELECT 1").execute(pool).await.map(drop)
}

/// Applies missing migrations under an advisory lock. Migrations of newer programs are ignored. A
/// failure is audited, so that running servers can report it: this program is about to end.
pub async fn migrate(pool: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    let done = migrator().run(pool).await;
    if let Err(error) = &done {
        tracing::error!(migration = schema::number(error), %error, "a migration failed");
        if let Err(unheard) = schema::note_failure(pool, error).await {
            tracing::warn!(error = %unheard, "the failed migration can't be audited");
        }
    }
    done
}

/// Reverts every migration after a version; their data is lost.
pub async fn migrate_down(pool: &PgPool, to: i64) -> Result<(), sqlx::migrate::MigrateError> {
    migrator().undo(pool, to).await
}

fn migrator() -> sqlx::migrate::Migrator {
    let mut migrator = sqlx::migrate::Migrator { migrations: MIGRATIONS.migrations.clone(), ..sqlx::migrate::Migrator::DEFAULT };
    migrator.set_ignore_missing(true);
    for migration in migrator.migrations.to_mut() {
        if let Some(checksum) = checksums::released(migration.version) {
            migration.checksum = checksum.into();
        }
    }
    migrator
}

/// All migrations, and whether each is applied.
pub async fn migration_status(pool: &PgPool) -> Result<Vec<(&'static sqlx::migrate::Migration, bool)>, sqlx::migrate::MigrateError> {
    use sqlx::migrate::Migrate;
    let mut conn = pool.acquire().await?;
    let table = &MIGRATIONS.table_name;
    conn.ensure_migrations_table(table).await?;
    let applied: Vec<i64> = conn.list_applied_migrations(table).await?.into_iter().map(|migration| migration.version).collect();
    Ok(MIGRATIONS
        .iter()
        .filter(|migration| migration.migration_type.is_up_migration())
        .map(|migration| (migration, applied.contains(&migration.version)))
        .collect())
}

/// Parses a column's text.
fn decode<T: FromStr<Err = String>>(text: &str) -> sqlx::Result<T> {
    text.parse().map_err(|error: String| sqlx::Error::Decode(error.into()))
}
