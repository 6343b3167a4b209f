//! Deletes expired idempotency keys.

use crate::service::{Platform, Result, idempotency};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(3600);

pub async fn run(platform: Platform) -> Result<()> {
    let removed = idempotency::remove_expired(&platform).await?;
    tracing::debug!(removed, "expired idempotency keys");
    Ok(())
}
