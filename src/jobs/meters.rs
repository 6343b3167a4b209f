//! Sends usage of closed hours to Stripe's billing meters. Several replicas share the work, one
//! customer and metric at a time.

use crate::service::{Platform, Result, meters};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub const EVERY: Duration = Duration::from_secs(30);

pub async fn run(platform: Platform, stop: CancellationToken) -> Result<()> {
    stop.run_until_cancelled(meters::run(&platform)).await.transpose().map(drop)
}
