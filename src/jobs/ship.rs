//! Ships accepted usage events to ClickHouse and reads their hours back. Without ClickHouse it does
//! nothing.
//!
//! Runs every second, so that an event is counted within two or three seconds.

use crate::service::{Platform, Result, ingest};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(1);

pub async fn run(platform: Platform) -> Result<()> {
    ingest::settle(&platform).await.map(drop)
}
