//! Reads the feature switches, so that a change takes effect on all servers within two seconds.

use crate::service::{Platform, Result, features};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(1);

pub async fn run(platform: Platform) -> Result<()> {
    features::refresh(&platform).await
}
