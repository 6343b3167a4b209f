//! ClickHouse's schema: versioned migrations from one template for a single server and a replicated
//! cluster, recorded in ClickHouse.
//!
//! With `CLICKHOUSE_CLUSTER` the statements contain `ON CLUSTER` and
//! `ReplicatedReplacingMergeTree`.

use super::client::Server;
use crate::store::usage::{Result, UsageStoreError};
use clickhouse::Row;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use sqlx::PgPool;

/// A migration; never changed after its release.
#[derive(Debug)]
pub struct Migration {
    pub version: u32,
    pub name: &'static str,
    template: &'static str,
}

/// All migrations in order; one statement each.
pub static MIGRATIONS: [Migration; 2] = [
    Migration { version: 1, name: "usage events", template: include_str!("migrations/0001_usage_events.sql") },
    Migration { version: 2, name: "usage hours", template: include_str!("migrations/0002_usage_hours.sql") },
];

const RECORD: &str = "CREATE TABLE IF NOT EXISTS schema_migrations {on_cluster}
    (version UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC'))
    ENGINE = {replacing}(applied_at) ORDER BY version";

const DATABASE: &str = "SELECT count() FROM system.databases WHERE name = {database:String}";
const RECORDED: &str = "SELECT count() FROM system.tables WHERE database = {database:String} AND name = 'schema_migrations'";

impl Migration {
    fn checksum(&self) -> String {
        hex::encode(Sha256::digest(self.template))
    }

    /// The statement for a single server, or for the replicas of a cluster.
    pub fn statement(&self, cluster: Option<&str>) -> String {
        render(self.template, cluster)
    }
}

fn render(template: &str, cluster: Option<&str>) -> String {
    match cluster {
        None => template.replace("{on_cluster}", "").replace("{replacing}", "ReplacingMergeTree"),
        Some(cluster) => {
            template.replace("{on_cluster}", &format!("ON CLUSTER '{cluster}'")).replace("{replacing}", "ReplicatedReplacingMergeTree")
        }
    }
}

#[derive(Row, Deserialize)]
struct Applied {
    version: u32,
    checksum: String,
}

/// Creates the database and applies missing migrations. A lock in PostgreSQL lets only one replica
/// run this.
pub async fn migrate(server: &Server, db: &PgPool) -> Result<()> {
    let cluster = server.cluster.as_deref();
    let mut turn = db.begin().await?;
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('clickhouse_schema'))").execute(&mut *turn).await?;
    if !exists(server, DATABASE).await? {
        // Check first: a user of the database may lack the privilege to create one.
        let create = render(&format!("CREATE DATABASE IF NOT EXISTS `{}` {{on_cluster}}", server.database), cluster);
        server.execute(server.query_outside(&create)).await?;
    }
    server.execute(server.query(&render(RECORD, cluster))).await?;
    let applied = applied(server).await?;
    for migration in &MIGRATIONS {
        match applied.iter().find(|applied| applied.version == migration.version) {
            Some(applied) if applied.checksum == migration.checksum() => {}
            Some(_) => {
                return Err(UsageStoreError::Refused(format!(
                    "ClickHouse's migration {} ({}) differs from the applied one",
                    migration.version, migration.name
                )));
            }
            None => {
                server.execute(server.query(&migration.statement(cluster))).await?;
                let record = server
                    .query("INSERT INTO schema_migrations SELECT {version:UInt32}, {name:String}, {checksum:String}, now64(3)")
                    .param("version", migration.version)
                    .param("name", migration.name)
                    .param("checksum", migration.checksum());
                server.execute(record).await?;
                tracing::info!(version = migration.version, name = migration.name, "ClickHouse's schema");
            }
        }
    }
    Ok(turn.commit().await?)
}

/// All migrations, and whether each is applied.
pub async fn status(server: &Server) -> Result<Vec<(&'static Migration, bool)>> {
    let applied = if exists(server, RECORDED).await? { applied(server).await? } else { Vec::new() };
    Ok(MIGRATIONS.iter().map(|migration| (migration, applied.iter().any(|applied| applied.version == migration.version))).collect())
}

async fn applied(server: &Server) -> Result<Vec<Applied>> {
    server.fetch(server.query("SELECT version, checksum FROM schema_migrations FINAL")).await
}

/// Queries the system tables about our database.
async fn exists(server: &Server, count: &str) -> Result<bool> {
    let found: Vec<u64> = server.fetch(server.query_outside(count).param("database", &server.database)).await?;
    Ok(found.first().is_some_and(|count| *count > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_template_serves_a_server_and_a_cluster() {
        for template in MIGRATIONS.iter().map(|migration| migration.template).chain([RECORD]) {
            let (single, replicated) = (render(template, None), render(template, Some("billing")));
            assert!(single.contains("ENGINE = ReplacingMergeTree(") && !single.contains("CLUSTER"), "{single}");
            assert!(replicated.contains("ENGINE = ReplicatedReplacingMergeTree(") && replicated.contains("ON CLUSTER 'billing'"));
            for statement in [&single, &replicated] {
                assert!(!statement.contains(['{', '}', ';', '?']), "{statement}");
            }
        }
    }

    #[test]
    fn versions_follow_the_order_of_files() {
        let versions: Vec<u32> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        assert_eq!(versions, (1..=MIGRATIONS.len() as u32).collect::<Vec<_>>());
    }
}
