//! Parses the mirror's rows of older program versions again from their stored events: at start all
//! of them, later those that an older program still writes.

use crate::service::{Platform, Result, reread};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub const EVERY: Duration = Duration::from_secs(60);

/// A stop ends it between two batches, or rolls back the current one.
pub async fn run(platform: Platform, stop: CancellationToken) -> Result<()> {
    stop.run_until_cancelled(reread::run(&platform)).await.transpose().map(drop)
}
