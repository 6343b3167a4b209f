//! Reads Stripe's list of events for what was missed: at start-up, and every few minutes for what a webhook never brought.

use crate::service::{Platform, Result, backfill};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub const EVERY: Duration = Duration::from_secs(300);

/// Ends in the middle when told to stop: the next run goes on from the last page.
pub async fn run(platform: Platform, stop: CancellationToken) -> Result<()> {
    if platform.stripe.is_none() {
        return Ok(());
    }
    let Some(done) = stop.run_until_cancelled(backfill::events(&platform, &|_| ())).await else { return Ok(()) };
    for progress in done?.into_iter().flat_map(|report| report.streams).filter(|progress| progress.stored > 0) {
        tracing::info!(stream = progress.stream, read = progress.read, stored = progress.stored, "read from Stripe what was missed");
    }
    Ok(())
}
