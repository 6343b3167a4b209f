//! Reads the features' switches, so that what one server is told all know within a second or two.

use crate::service::{Platform, Result, features};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(1);

pub async fn run(platform: Platform) -> Result<()> {
    features::refresh(&platform).await
}
