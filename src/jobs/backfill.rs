//! Reads missed events from Stripe's event list: at start, and every few minutes.

use crate::service::{Platform, Result, backfill};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub const EVERY: Duration = Duration::from_secs(300);

/// A stop interrupts it; the next run resumes after the last page.
pub async fn run(platform: Platform, stop: CancellationToken) -> Result<()> {
    if platform.stripe.is_none() {
        return Ok(());
    }
    let Some(done) = stop.run_until_cancelled(backfill::events(&platform, &|_| ())).await else { return Ok(()) };
    for progress in done?.into_iter().flat_map(|report| report.streams).filter(|progress| progress.stored > 0) {
        tracing::info!(stream = progress.stream, read = progress.read, stored = progress.stored, "read missed events from Stripe");
    }
    Ok(())
}
