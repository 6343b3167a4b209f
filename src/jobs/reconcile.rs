//! Runs the nightly reconciliation, resumes interrupted ones, and deletes old runs. Only one
//! replica runs it.

use crate::service::{Platform, Result, reconcile};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub const EVERY: Duration = Duration::from_secs(60);

/// A stop interrupts it; the next run resumes it.
pub async fn run(platform: Platform, stop: CancellationToken) -> Result<()> {
    stop.run_until_cancelled(reconcile::tend(&platform)).await.transpose()?;
    reconcile::measure(&platform).await
}
