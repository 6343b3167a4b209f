//! Passwords: argon2id, off the async threads, with limited concurrency.

use super::error::{CredentialError, Result};
use crate::domain::field_error::Fault;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use std::sync::{LazyLock, OnceLock};
use tokio::sync::Semaphore;

/// Maximum length of a password; hashing is slow on purpose, so it must be limited.
pub const MAX_BYTES: usize = 1024;
/// Minimum length of a new password (OWASP ASVS 5.0, 6.2.1).
pub const MIN_CHARS: usize = 8;

/// One hash takes 19 MiB and tens of milliseconds of CPU: a flood of logins waits here.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)));

/// OWASP's recommended minimum for argon2id: 19 MiB, two passes, one lane.
fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).unwrap_or_default())
}

/// Rejects a new password that is too short or too long.
pub fn check_length(password: &str) -> Result<()> {
    if password.chars().count() < MIN_CHARS || password.len() > MAX_BYTES {
        let detail = format!("must have at least {MIN_CHARS} characters and at most {MAX_BYTES} bytes").into();
        return Err(CredentialError::Refused { detail, fault: Fault::PasswordLength(MIN_CHARS as u64) });
    }
    Ok(())
}

/// Hashes a new password; rejects one that is too short or too long.
pub async fn hash(password: String) -> Result<String> {
    check_length(&password)?;
    in_turn(move || {
        argon2id().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|error| anyhow::anyhow!("argon2: {error}"))
    })
    .await?
    .map_err(CredentialError::from)
}

/// Whether a password matches a hash. Without a hash (unknown address) it takes as long and returns
/// false.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool> {
    static NO_USER: OnceLock<String> = OnceLock::new();
    in_turn(move || {
        let decoy =
            || NO_USER.get_or_init(|| argon2id().hash_password(b"a password of no user").map(|hash| hash.to_string()).unwrap_or_default());
        let known = hash.is_some();
        let text = hash.as_ref().unwrap_or_else(decoy);
        let fits = PasswordHash::new(text).is_ok_and(|parsed| argon2id().verify_password(password.as_bytes(), &parsed).is_ok());
        known && fits
    })
    .await
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let turn = TURNS.acquire().await.map_err(|error| CredentialError::Internal(error.into()))?;
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| CredentialError::Internal(error.into()));
    drop(turn);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_exact_password_matches() {
        let hashed = hash("correct horse".into()).await.unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify("correct horse".into(), Some(hashed.clone())).await.unwrap());
        assert!(!verify("correct horsf".into(), Some(hashed)).await.unwrap());
        assert!(!verify("a password of no user".into(), None).await.unwrap());
        assert!(!verify("x".into(), Some("not a hash".into())).await.unwrap());
    }

    #[tokio::test]
    async fn short_and_long_passwords_are_refused() {
        assert!(hash("short".into()).await.is_err());
        assert!(hash("x".repeat(MAX_BYTES + 1)).await.is_err());
    }
}
