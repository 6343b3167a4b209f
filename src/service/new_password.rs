//! Rules for new passwords.

use super::{Platform, Result};
use crate::auth::{breached_passwords, common_passwords, password};

/// Rejects a password that is too short or too long, too close to the account's e-mail address,
/// common, or breached.
///
/// # Errors
/// `invalid_parameter`; `unavailable` if the file of breached passwords can't be read.
pub(super) async fn check(platform: &Platform, given: &str, email: &str) -> Result<()> {
    common_passwords::refuse(given, email)?;
    password::check_length(given)?;
    if let Some(file) = &platform.config.breached_passwords_file {
        breached_passwords::refuse(file, given).await?;
    }
    Ok(())
}
