//! Checks whether the usage of billed periods has changed.

use crate::service::{Platform, Result, billed_usage};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(300);

pub async fn run(platform: Platform) -> Result<()> {
    billed_usage::check(&platform).await.map(drop)
}
