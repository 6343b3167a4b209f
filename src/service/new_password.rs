//! What a password has to be, wherever one is set.

use super::{Platform, Result};
use crate::auth::{breached_passwords, common_passwords, password};

/// Refuses a password that is too short or too long, too close to the account's e-mail address, common, or known from a breach.
///
/// # Errors
/// `invalid_parameter`; `unavailable` when the file of breached passwords can't be read.
pub(super) async fn check(platform: &Platform, given: &str, email: &str) -> Result<()> {
    common_passwords::refuse(given, email)?;
    password::check_length(given)?;
    match &platform.config.breached_passwords_file {
        Some(file) => breached_passwords::refuse(file, given).await?,
        None => {}
    }
    Ok(())
}
