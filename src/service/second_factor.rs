//! The second factor: enrolling an authenticator app, verifying codes, removing it.

use super::{
    Error, Platform, Result,
    actor::{Origin, system_entry},
    caller::Person,
    login_throttle,
    own_account::{confirm_password, entry, note},
};
use crate::{
    auth::totp,
    domain::{
        PRODUCT,
        error_code::ErrorCode,
        field_error::Fault,
        role::Role,
        second_factor::{RecoveryCodes, TotpOffer, TotpState},
    },
    store::postgres::{audit, sessions, totp as store, users},
};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Secrets per query.
const PAGE: i64 = 500;

/// The accepted proof of the second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    Totp,
    RecoveryCode,
}

impl Factor {
    /// Its name in the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Factor::Totp => "totp",
            Factor::RecoveryCode => "recovery_code",
        }
    }
}

/// Staff without a second factor can only open their own account page to set one up.
pub fn is_required(platform: &Platform, role: Role) -> bool {
    role.is_staff() && platform.config.file.sessions.require_totp_for_admins
}

/// The user's second factor.
pub async fn state(person: &Person) -> Result<TotpState> {
    let Person { platform, id, principal, .. } = person;
    let known = store::of_user(&mut *platform.db.acquire().await?, *id).await?;
    let left = store::recovery_codes_left(&platform.db, *id).await?;
    Ok(TotpState {
        enabled: known.is_some_and(|totp| totp.is_confirmed),
        required: is_required(platform, principal.role()),
        recovery_codes_left: u32::try_from(left).unwrap_or(0),
    })
}

/// Creates a secret for a user who enters the password. It becomes active with its first valid
/// code.
///
/// # Errors
/// `totp_enabled` if one is active; those of a wrong password.
pub async fn offer(person: &Person, password: &str, origin: &Origin) -> Result<TotpOffer> {
    let attempt = confirm_password(person, password, "user.totp_refused", origin).await?;
    let Person { platform, id, .. } = person;
    let secret = totp::generate();
    let mut tx = platform.db.begin().await?;
    let kept = platform.totp_secrets.seal(*id, &secret)?;
    if !store::offer(&mut tx, *id, &kept, platform.clock.now()).await? {
        return Err(Error::refused(ErrorCode::TotpEnabled, ErrorCode::TotpEnabled.sentence()));
    }
    attempt.succeeded(&mut tx, *id).await?;
    audit::record(&mut tx, entry(person, "user.totp_offered", json!({}), origin)).await?;
    tx.commit().await?;
    Ok(offer_of(person, &secret))
}

/// The pending secret.
pub async fn pending(person: &Person) -> Result<Option<TotpOffer>> {
    let known = store::of_user(&mut *person.platform.db.acquire().await?, person.id).await?;
    let Some(waiting) = known.filter(|totp| !totp.is_confirmed) else { return Ok(None) };
    Ok(Some(offer_of(person, &opened(&person.platform, person.id, &waiting.secret)?)))
}

fn offer_of(person: &Person, secret: &[u8]) -> TotpOffer {
    TotpOffer { secret: totp::base32(secret), uri: totp::uri(secret, PRODUCT, &person.email) }
}

/// Activates the pending secret with a valid code, and ends the user's other sessions. Returns the
/// recovery codes, only once.
///
/// # Errors
/// `totp_not_offered`; `invalid_parameter` for a wrong code, `login_throttled` after too many;
/// `unavailable` without the secret's key.
pub async fn confirm(person: &Person, code: &str, origin: &Origin) -> Result<RecoveryCodes> {
    let Person { platform, id, email, session, .. } = person;
    let not_offered = || Error::refused(ErrorCode::TotpNotOffered, ErrorCode::TotpNotOffered.sentence());
    let attempt = login_throttle::begin(platform, email, origin).await?;
    let now = platform.clock.now();
    let mut tx = platform.db.begin().await?;
    let waiting = store::of_user(&mut tx, *id).await?.filter(|totp| !totp.is_confirmed).ok_or_else(not_offered)?;
    let secret = opened(platform, *id, &waiting.secret)?;
    let Some(step) = totp::accepted(&secret, code, now, waiting.last_step) else {
        tx.rollback().await?;
        note(platform, entry(person, "user.totp_refused", json!({}), origin)).await?;
        return Err(wrong_code());
    };
    if !store::confirm(&mut tx, *id, &waiting.secret, step, now).await? {
        return Err(not_offered());
    }
    let recovery_codes = totp::recovery_codes();
    let hashes: Vec<Vec<u8>> = recovery_codes.iter().filter_map(|code| totp::recovery_hash(code)).map(|hash| hash.to_vec()).collect();
    store::put_recovery_codes(&mut tx, *id, &hashes).await?;
    let ended = sessions::end_all(&mut tx, *id, session.as_ref()).await?;
    attempt.succeeded(&mut tx, *id).await?;
    audit::record(&mut tx, entry(person, "user.totp_enabled", json!({"sessions_ended": ended}), origin)).await?;
    tx.commit().await?;
    Ok(RecoveryCodes { recovery_codes })
}

/// Removes the second factor, given the password and a code. Ends the user's other sessions.
///
/// # Errors
/// `invalid_parameter` for a wrong password or code, `login_throttled` after too many;
/// `unavailable` without the secret's key.
pub async fn disable(person: &Person, password: &str, code: &str, origin: &Origin) -> Result<()> {
    let Person { platform, id, session, .. } = person;
    let attempt = confirm_password(person, password, "user.totp_refused", origin).await?;
    let mut tx = platform.db.begin().await?;
    if use_code(platform, &mut tx, *id, code).await?.is_none() {
        tx.rollback().await?;
        note(platform, entry(person, "user.totp_refused", json!({}), origin)).await?;
        return Err(wrong_code());
    }
    store::remove(&mut tx, *id).await?;
    let ended = sessions::end_all(&mut tx, *id, session.as_ref()).await?;
    attempt.succeeded(&mut tx, *id).await?;
    audit::record(&mut tx, entry(person, "user.totp_disabled", json!({"sessions_ended": ended}), origin)).await?;
    Ok(tx.commit().await?)
}

/// Removes a lost second factor, as an operator; ends all of the user's sessions.
pub async fn reset(platform: &Platform, email: &str) -> Result<()> {
    let email = email.trim().to_lowercase();
    let user = users::by_email(&platform.db, &email).await?.ok_or(Error::NotFound("user"))?;
    let mut tx = platform.db.begin().await?;
    if !store::remove(&mut tx, user.id).await? {
        return Err(Error::NotFound("second factor of this user"));
    }
    let ended = sessions::end_all(&mut tx, user.id, None).await?;
    audit::record(&mut tx, system_entry("user.totp_reset", user.customer, json!({"email": email, "sessions_ended": ended}))).await?;
    Ok(tx.commit().await?)
}

/// Marks a code of the user's app or a recovery code as used; None if it is invalid or was used
/// before.
pub(super) async fn use_code(platform: &Platform, conn: &mut PgConnection, user: Uuid, given: &str) -> Result<Option<Factor>> {
    let now = platform.clock.now();
    let Some(known) = store::of_user(conn, user).await?.filter(|totp| totp.is_confirmed) else { return Ok(None) };
    // No text is a valid code of both kinds. Recovery codes need no secret, so they work even if it
    // can't be decrypted.
    if let Some(hash) = totp::recovery_hash(given) {
        return Ok(store::use_recovery_code(conn, user, &hash, now).await?.then_some(Factor::RecoveryCode));
    }
    let secret = opened(platform, user, &known.secret)?;
    match totp::accepted(&secret, given, now, known.last_step) {
        Some(step) if store::use_step(conn, user, step).await? => Ok(Some(Factor::Totp)),
        _ => Ok(None),
    }
}

/// Decrypts a user's stored secret.
fn opened(platform: &Platform, user: Uuid, kept: &[u8]) -> Result<Vec<u8>> {
    let secret = platform.totp_secrets.open(user, kept);
    secret.map_err(|error| {
        Error::Unavailable(
            anyhow::Error::new(error).context(format!("the secret of the authenticator app of user {user} can't be decrypted")),
        )
    })
}

/// Re-encrypts every secret as a new one would be stored: with the first key, or unencrypted
/// without one. Returns how many changed.
///
/// Secrets that can't be decrypted stay unchanged and are logged. Several servers may run it at
/// once: each secret is changed by one.
pub async fn reseal(platform: &Platform) -> Result<u64> {
    let sealer = &platform.totp_secrets;
    let (mut last, mut resealed) = (Uuid::nil(), 0);
    let mut unopenable: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        let page = store::secrets_after(&platform.db, last, PAGE).await?;
        let Some(newest) = page.last() else { break };
        last = newest.user;
        for kept in page.iter().filter(|kept| !sealer.is_current(&kept.secret)) {
            match sealer.open(kept.user, &kept.secret) {
                Ok(secret) => {
                    let otherwise = sealer.seal(kept.user, &secret)?;
                    resealed += u64::from(store::keep_otherwise(&platform.db, kept, &otherwise).await?);
                }
                Err(error) => *unopenable.entry(error.to_string()).or_default() += 1,
            }
        }
    }
    for (error, count) in unopenable {
        tracing::error!(count, error, "secrets of authenticator apps can't be decrypted; their users need a recovery code to sign in");
    }
    if resealed > 0 {
        tracing::info!(count = resealed, sealed = sealer.seals(), "secrets of authenticator apps re-encrypted with the current key");
    }
    Ok(resealed)
}

fn wrong_code() -> Error {
    Error::invalid_field("code", "is not the app's current code, or was already used", Fault::WrongCode)
}
