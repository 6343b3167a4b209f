//! Reads the mirror's rows of an older program again from their stored events: at start-up all of them, and later what such a program still writes.

use crate::service::{Platform, Result, reread};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub const EVERY: Duration = Duration::from_secs(60);

/// Ends between two batches or in the middle of one, which is then done the next time.
pub async fn run(platform: Platform, stop: CancellationToken) -> Result<()> {
    stop.run_until_cancelled(reread::run(&platform)).await.transpose().map(drop)
}
