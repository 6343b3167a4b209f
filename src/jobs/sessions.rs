//! Removes sessions that have expired.

use crate::{
    service::{Platform, Result},
    store::postgres::sessions,
};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(3600);

pub async fn run(platform: Platform) -> Result<()> {
    let removed = sessions::delete_expired(&platform.db, platform.clock.now()).await?;
    tracing::debug!(removed, "expired sessions");
    Ok(())
}
