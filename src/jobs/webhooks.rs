//! Applies stored events: those received while billing was off, and failed ones whose retry is due.

use crate::service::{Platform, Result, features, webhooks};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(5);

const BATCH: u64 = 500;

pub async fn run(platform: Platform) -> Result<()> {
    if features::current(&platform).billing_enabled {
        webhooks::apply_waiting(&platform, BATCH).await?;
    }
    webhooks::measure_inbox(&platform).await
}
