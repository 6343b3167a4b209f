//! Makes ready what usage events go into, the monthly partitions above all, ahead of time.

use crate::service::{Platform, Result, ingest};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(12 * 3600);

pub async fn run(platform: Platform) -> Result<()> {
    ingest::prepare(&platform).await
}
