//! `apex-billing migrate`.

use super::session::{Schema, Session};
use crate::{
    service::{Platform, usage_move},
    store::postgres,
};
use clap::{Args, Subcommand};

/// Migrate the database's schema and ClickHouse's (if configured), or show their state
#[derive(Args)]
#[command(after_help = "Examples:\n  apex-billing migrate\n  apex-billing migrate status\n  apex-billing migrate down --to 3")]
pub struct Migrate {
    #[command(subcommand)]
    step: Option<Step>,
}

#[derive(Subcommand)]
enum Step {
    /// Apply all missing migrations (default)
    Up,
    /// Revert every migration after a version; their data is lost
    Down {
        /// The version to return to; 0 reverts all
        #[arg(long)]
        to: i64,
    },
    /// Show which migrations are applied
    Status,
}

impl Migrate {
    pub async fn run(self) -> anyhow::Result<()> {
        Session::run(Schema::Unchanged, async |platform| self.on(platform).await).await
    }

    async fn on(self, platform: &Platform) -> anyhow::Result<()> {
        let db = &platform.db;
        let step = self.step.unwrap_or(Step::Up);
        match step {
            Step::Up => postgres::migrate(db).await?,
            Step::Down { to } => postgres::migrate_down(db, to).await?,
            Step::Status => {}
        }
        for (migration, applied) in postgres::migration_status(db).await? {
            println!("{} {:04} {}", if applied { "applied" } else { "waiting" }, migration.version, migration.description);
        }
        // ClickHouse's migrations can't be reverted: its rows have no other source.
        for (version, name, applied) in usage_move::migrate(platform, matches!(step, Step::Up)).await? {
            println!("{} ClickHouse {version:04} {name}", if applied { "applied" } else { "waiting" });
        }
        Ok(())
    }
}
