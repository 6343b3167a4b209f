//! Makes ready what usage events go into, the monthly partitions above all, ahead of time; and lets go of what is kept no longer.

use crate::service::{Platform, Result, ingest};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(12 * 3600);

pub async fn run(platform: Platform) -> Result<()> {
    ingest::prepare(&platform).await?;
    ingest::forget(&platform).await
}
