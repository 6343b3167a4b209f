//! Moves raw usage events from PostgreSQL to ClickHouse.

use super::{Error, Platform, Result};
use crate::{
    domain::error_code::ErrorCode,
    store::clickhouse::{
        ClickHouseUsage,
        transfer::{Moved, Step},
    },
};

/// Moves PostgreSQL's events; resumes where an earlier run ended. `batch`: events between stored
/// positions.
pub async fn run(platform: &Platform, batch: u64, tell: impl FnMut(Step) + Send) -> Result<Moved> {
    Ok(clickhouse(platform)?.move_raw_events(batch, tell).await?)
}

/// Migrates ClickHouse's schema, if configured; returns its migrations, and whether each is
/// applied.
pub async fn migrate(platform: &Platform, apply: bool) -> Result<Vec<(u32, &'static str, bool)>> {
    let Ok(store) = clickhouse(platform) else { return Ok(Vec::new()) };
    if apply {
        store.ready().await?;
    }
    let status = store.schema_status().await?;
    Ok(status.into_iter().map(|(migration, applied)| (migration.version, migration.name, applied)).collect())
}

fn clickhouse(platform: &Platform) -> Result<ClickHouseUsage> {
    let settings = platform.config.clickhouse.as_ref();
    let settings = settings.ok_or_else(|| Error::refused(ErrorCode::NoClickhouse, ErrorCode::NoClickhouse.sentence()))?;
    Ok(ClickHouseUsage::new(settings, platform.db.clone()))
}
