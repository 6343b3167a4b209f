//! Compares the raw usage events of recently closed hours with billed usage.

use crate::service::{Platform, Result, usage_check};
use std::time::Duration;

pub const EVERY: Duration = Duration::from_secs(900);

pub async fn run(platform: Platform) -> Result<()> {
    let found = usage_check::check_recent(&platform).await?;
    if found > 0 {
        tracing::error!(hours = found, "raw usage events differ from billed usage; usage_differences lists the hours");
    }
    Ok(())
}
