//! `apex-billing rollback`: destructive rollback steps, with safeguards.

use crate::{
    config::{Config, Secret},
    store::postgres::{self, schema},
    telemetry,
};
use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use sqlx::PgPool;
use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use time::OffsetDateTime;

/// Destructive rollback steps; docs/operate/rollback.md has the others
#[derive(Subcommand)]
#[command(
    after_help = "Example:\n  pg_dump -Fc \"$DATABASE_URL\" > before.dump\n  apex-billing rollback drop-tables --database-url \"$DATABASE_URL\" --confirm billing --backup before.dump"
)]
pub enum Rollback {
    /// Drop every table created by migrations, with all data
    ///
    /// Lists them, and drops them only if the database is named, a fresh backup exists and no
    /// server is connected. ClickHouse's data stay.
    #[command(
        after_help = "Examples:\n  apex-billing rollback drop-tables --database-url \"$DATABASE_URL\"\n  apex-billing rollback drop-tables --database-url \"$DATABASE_URL\" --confirm billing --backup before.dump"
    )]
    DropTables(DropTables),
}

#[derive(Args)]
pub struct DropTables {
    /// The database; DATABASE_URL is not read, so that the database is chosen explicitly
    #[arg(long, value_name = "URL")]
    database_url: String,
    /// The database's name again; without it nothing is dropped
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// A pg_dump backup made after the servers stopped, at most a day old
    #[arg(long, value_name = "FILE", conflicts_with = "no_backup")]
    backup: Option<PathBuf>,
    /// Skip the backup check
    #[arg(long)]
    no_backup: bool,
}

/// Checks, a tenth of a second apart, until a connection counts as permanent.
const LEAVING: u32 = 20;
/// Maximum age of the backup.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

impl Rollback {
    pub async fn run(self) -> anyhow::Result<()> {
        match self {
            Rollback::DropTables(command) => command.run().await,
        }
    }
}

impl DropTables {
    async fn run(self) -> anyhow::Result<()> {
        let config = Config { otlp_endpoint: None, ..Config::load()? };
        telemetry::start_logging(&config)?;
        let url = Secret(self.database_url.clone());
        // A separate application name, so that it doesn't count itself as a server.
        let db = postgres::connect_as("apex-billing rollback", &url.0, &config.file.database)
            .await
            .map_err(|error| anyhow!("the database of --database-url can't be reached: {error}"))?;
        let done = self.drop_all(&db).await;
        db.close().await;
        done
    }

    async fn drop_all(&self, db: &PgPool) -> anyhow::Result<()> {
        let (name, tables) = (schema::database_name(db).await?, schema::tables(db).await?);
        if tables.is_empty() {
            bail!("the database {name} contains none of our tables");
        }
        println!("Tables of the database {name}, with all their data:");
        for table in &tables {
            println!("  {}\t{} kB", table.name, table.bytes / 1024);
        }
        match &self.confirm {
            None => bail!("nothing was dropped: add --confirm {name} to drop them"),
            Some(confirmed) if *confirmed != name => {
                bail!("nothing was dropped: --confirm is {confirmed}, but the database is {name}")
            }
            Some(_) => {}
        }
        let mut servers = schema::servers(db).await?;
        // A server that has just stopped may still be disconnecting.
        for _ in 0..LEAVING {
            if servers > 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                servers = schema::servers(db).await?;
            }
        }
        if servers > 0 {
            bail!("nothing was dropped: servers hold {servers} connections to {name}; stop them first");
        }
        match (&self.backup, self.no_backup) {
            (Some(file), _) => {
                let written = backup_written_at(file).with_context(|| format!("nothing was dropped: {}", file.display()))?;
                let is_audited = tables.iter().any(|table| table.name == "billing_audit");
                let newest = if is_audited { schema::newest_entry(db).await? } else { None };
                if newest.is_some_and(|newest| OffsetDateTime::from(written) < newest) {
                    bail!("nothing was dropped: {} is older than the newest entry of the audit log", file.display());
                }
            }
            (None, true) => {}
            (None, false) => bail!("nothing was dropped: add --backup FILE with a pg_dump backup, or --no-backup"),
        }
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        // The audit log is dropped too, so the log records it.
        tracing::warn!(database = name, tables = ?names, backup = ?self.backup, by = std::env::var("USER").ok(), "dropping all tables");
        postgres::migrate_down(db, 0).await.context("some are dropped; run the same command again to continue")?;
        schema::forget_history(db).await?;
        tracing::warn!(database = name, tables = names.len(), "all tables are dropped");
        println!(
            "Dropped {} tables. `apex-billing migrate` recreates them empty; docs/operate/backup-and-restore.md describes how to restore a backup.",
            names.len()
        );
        Ok(())
    }
}

/// When a dump was written, if it is a complete and fresh dump of pg_dump.
fn backup_written_at(path: &Path) -> anyhow::Result<SystemTime> {
    let metadata = fs::metadata(path).context("the backup can't be read")?;
    // A dump in directory format has its contents in this file.
    let (path, metadata) = if metadata.is_dir() {
        let contents = path.join("toc.dat");
        let metadata = fs::metadata(&contents).context("the folder contains no dump")?;
        (contents, metadata)
    } else {
        (path.to_owned(), metadata)
    };
    let mut file = File::open(&path).context("the backup can't be read")?;
    let mut head = Vec::new();
    file.by_ref().take(64).read_to_end(&mut head)?;
    let is_plain = head.starts_with(b"--\n-- PostgreSQL database dump");
    if !is_plain && !head.starts_with(b"PGDMP") {
        bail!("it is not a dump of pg_dump (plain, custom or directory format)");
    }
    if is_plain {
        file.seek(SeekFrom::Start(metadata.len().saturating_sub(512)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        if !String::from_utf8_lossy(&tail).contains("PostgreSQL database dump complete") {
            bail!("the dump is truncated");
        }
    }
    let written = metadata.modified()?;
    if written.elapsed().unwrap_or_default() > FRESH {
        bail!("the dump is more than a day old");
    }
    Ok(written)
}
