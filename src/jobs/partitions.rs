//! Makes the monthly partitions of the usage events ahead of time.

use crate::service::{Platform, Result, ingest};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(12 * 3600);

pub async fn run(platform: Platform) -> Result<()> {
    ingest::ensure_partitions(&platform).await
}
