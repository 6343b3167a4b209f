//! Creates the monthly partitions of usage events ahead of time, and drops expired ones.

use crate::service::{Platform, Result, ingest};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(12 * 3600);

pub async fn run(platform: Platform) -> Result<()> {
    ingest::prepare(&platform).await?;
    ingest::forget(&platform).await
}
