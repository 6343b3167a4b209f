//! Fetches data that events omit: the objects of thin events, and further lines of long invoices.

use crate::service::{Platform, Result, complete_objects};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub const EVERY: Duration = Duration::from_secs(5);

const BATCH: i64 = 100;

pub async fn run(platform: Platform, stop: CancellationToken) -> Result<()> {
    stop.run_until_cancelled(complete_objects::run(&platform, BATCH)).await.transpose().map(drop)
}
