//! Deletes expired sessions and failed logins, and audits how many refusals were only counted.

use crate::{
    service::{Platform, Result, audit::refusals, login_throttle},
    store::postgres::sessions,
};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(3600);

pub async fn run(platform: Platform) -> Result<()> {
    let removed = sessions::delete_expired(&platform.db, platform.clock.now()).await?;
    tracing::debug!(removed, "expired sessions");
    let removed = login_throttle::prune(&platform).await?;
    tracing::debug!(removed, "expired failed logins");
    refusals::summarize(&platform).await
}
