//! Passwords: argon2id, off the async threads, a few at a time.

use super::error::{CredentialError, Result};
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use std::sync::{LazyLock, OnceLock};
use tokio::sync::Semaphore;

/// Longest password that is looked at; hashing is slow on purpose, and so must be bounded.
pub const MAX_BYTES: usize = 1024;
/// Shortest password that is set (OWASP ASVS 5.0, 6.2.1).
pub const MIN_CHARS: usize = 8;

/// One hash takes 19 MiB and tens of milliseconds of a core: a flood of logins waits here.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)));

/// OWASP's recommended minimum for argon2id: 19 MiB, two passes, one lane.
fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).unwrap_or_default())
}

/// Refuses a new password that is too short or too long.
pub fn check_length(password: &str) -> Result<()> {
    if password.chars().count() < MIN_CHARS || password.len() > MAX_BYTES {
        return Err(CredentialError::Refused(format!("must have at least {MIN_CHARS} characters and at most {MAX_BYTES} bytes").into()));
    }
    Ok(())
}

/// Hashes a new password; too short or too long ones are refused.
pub async fn hash(password: String) -> Result<String> {
    check_length(&password)?;
    in_turn(move || {
        argon2id().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|error| anyhow::anyhow!("argon2: {error}"))
    })
    .await?
    .map_err(CredentialError::from)
}

/// Whether a password fits a hash. Without a hash (nobody has that address) it takes as long, and says no.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool> {
    static NOBODY: OnceLock<String> = OnceLock::new();
    in_turn(move || {
        let decoy = || {
            NOBODY.get_or_init(|| argon2id().hash_password(b"nobody has this password").map(|hash| hash.to_string()).unwrap_or_default())
        };
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
    async fn only_the_password_itself_fits() {
        let hashed = hash("correct horse".into()).await.unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(verify("correct horse".into(), Some(hashed.clone())).await.unwrap());
        assert!(!verify("correct horsf".into(), Some(hashed)).await.unwrap());
        assert!(!verify("nobody has this password".into(), None).await.unwrap());
        assert!(!verify("x".into(), Some("not a hash".into())).await.unwrap());
    }

    #[tokio::test]
    async fn short_and_endless_passwords_are_refused() {
        assert!(hash("short".into()).await.is_err());
        assert!(hash("x".repeat(MAX_BYTES + 1)).await.is_err());
    }
}
