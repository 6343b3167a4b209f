//! Usage alerts: fires what customers' figures have reached, then sends the mails that are owed. Every few seconds, so that a threshold is
//! told of within a minute of the event that reached it. Several replicas share the work; the table takes each alert once.

use crate::service::{Platform, Result, alerts, features};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(10);

/// Customers per turn, and alerts whose mails are sent per turn.
const BATCH: i64 = 200;

pub async fn run(platform: Platform) -> Result<()> {
    if !features::current(&platform).billing_enabled {
        return Ok(());
    }
    // Mails that are owed do not wait for figures that can't be read.
    let fired = alerts::fire_due(&platform, BATCH).await;
    alerts::send_owed(&platform, BATCH).await?;
    fired.map(drop)
}
