//! Compares everything with Stripe once a night, takes up what was interrupted, and lets go of old runs. Of several replicas one runs it.

use crate::service::{Platform, Result, reconcile};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub const EVERY: Duration = Duration::from_secs(60);

/// Ends in the middle when told to stop: the run is taken up where it was.
pub async fn run(platform: Platform, stop: CancellationToken) -> Result<()> {
    stop.run_until_cancelled(reconcile::tend(&platform)).await.transpose()?;
    reconcile::measure(&platform).await
}
