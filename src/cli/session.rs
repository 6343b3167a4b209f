//! The context of a command: settings, an open database, the platform.

use crate::{
    auth::breached_passwords,
    config::{self, Config},
    private_postgres::{Cluster, Options, keep_alive},
    service::{Clock, Platform, features},
    store::postgres,
    telemetry::{self, traces::Traces},
};
use anyhow::Context;
use sqlx::PgPool;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// An open platform. A private PostgreSQL runs as long as this lives.
pub struct Session {
    pub platform: Platform,
    traces: Traces,
    watch: Option<JoinHandle<()>>,
    // Dropped after the pool's connections.
    cluster: Option<Arc<Cluster>>,
}

/// The database in the private PostgreSQL.
const DATABASE: &str = "app";

/// Whether a command migrates the schema at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    Migrate,
    Unchanged,
}

impl Session {
    /// Reads the settings, opens the database, runs a command and closes again. Commands don't
    /// export traces.
    pub async fn run(schema: Schema, work: impl AsyncFnOnce(&Platform) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let session = Session::with(Config { otlp_endpoint: None, ..Config::load()? }, schema).await?;
        let done = work(&session.platform).await;
        session.close().await;
        done
    }

    /// Opens the database of these settings.
    pub async fn with(config: Config, schema: Schema) -> anyhow::Result<Session> {
        if let Some(file) = &config.breached_passwords_file {
            breached_passwords::check(file).with_context(|| {
                format!(
                    "BREACHED_PASSWORDS_FILE is `{}`, but must be the file that Have I Been Pwned's downloader writes, ordered by hash",
                    file.display()
                )
            })?;
        }
        let traces = telemetry::start_logging(&config)?;
        let (db, cluster) = open_database(&config).await?;
        if schema == Schema::Migrate {
            postgres::migrate(&db).await.context("the database's schema can't be brought up to date")?;
        }
        let platform = Platform::new(config, db, Clock::system())?;
        if schema == Schema::Migrate {
            features::refresh(&platform).await.context("the feature switches can't be read")?;
        }
        let cluster = cluster.map(Arc::new);
        let watch = cluster.as_ref().map(|cluster| tokio::spawn(keep_alive(Arc::downgrade(cluster))));
        Ok(Session { platform, traces, watch, cluster })
    }

    /// A command for a shell that opens the database.
    pub async fn psql(&self) -> anyhow::Result<String> {
        match self.cluster.clone() {
            Some(cluster) => Ok(tokio::task::spawn_blocking(move || cluster.psql(DATABASE)).await?),
            // The address itself has a password.
            None => Ok(r#"psql "$DATABASE_URL""#.to_owned()),
        }
    }

    /// Closes the connections, so that a private PostgreSQL can stop at once, and exports the last
    /// traces.
    pub async fn close(self) {
        if let Some(watch) = self.watch {
            watch.abort();
        }
        self.platform.db.close().await;
        self.traces.flush().await;
    }
}

async fn open_database(config: &Config) -> anyhow::Result<(PgPool, Option<Cluster>)> {
    if let Some(url) = &config.database_url {
        let pool = postgres::connect(&url.0, &config.file.database)
            .await
            .map_err(|error| anyhow::anyhow!("the database of DATABASE_URL can't be reached: {error}"))?;
        return Ok((pool, None));
    }
    let options = Options { dir: config::data_dir().join("pg"), durable: true, keep_running: false };
    let cluster = tokio::task::spawn_blocking(move || Cluster::start(options)).await??;
    let pool = postgres::connect(&cluster.url(DATABASE), &config.file.database)
        .await
        .context("the private PostgreSQL under ./.data/pg does not respond")?;
    Ok((pool, Some(cluster)))
}
