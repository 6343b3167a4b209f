//! Ships accepted usage events to ClickHouse and brings their hours back. Without ClickHouse there is nothing to do.
//!
//! Every second, so that an event is in the figures within two or three.

use crate::service::{Platform, Result, ingest};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(1);

pub async fn run(platform: Platform) -> Result<()> {
    ingest::settle(&platform).await.map(drop)
}
