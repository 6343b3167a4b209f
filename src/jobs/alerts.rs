//! Usage alerts: fires thresholds that usage has reached, then sends pending mails. Runs every few
//! seconds, so that customers are notified within a minute of the event. Several replicas share the
//! work; the table's unique key makes each alert fire once.

use crate::service::{Platform, Result, alerts, features};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(10);

/// Maximum number of customers per run, and of alerts whose mails are sent per run.
const BATCH: i64 = 200;

pub async fn run(platform: Platform) -> Result<()> {
    if !features::current(&platform).billing_enabled {
        return Ok(());
    }
    // Pending mails don't depend on the usage queries.
    let fired = alerts::fire_due(&platform, BATCH).await;
    alerts::send_owed(&platform, BATCH).await?;
    fired.map(drop)
}
