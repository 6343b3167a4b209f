//! Login: a password, and a code if a second factor is set up.

use super::{
    Error, Platform, Result,
    actor::{MAX_EMAIL_BYTES, Origin, shown_email},
    audit::refusals,
    login_throttle, second_factor,
};
use crate::{
    auth::password,
    store::postgres::{
        audit::{self, Entry},
        users::{self as store, User},
    },
    telemetry,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// The result of a correct password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Done(Uuid),
    /// A code must follow.
    CodeWanted(Uuid),
}

/// The user with an e-mail address and password, and a code if given. Response and duration are the
/// same for an unknown address and a wrong password.
///
/// # Errors
/// `invalid_credentials`, `invalid_code`; `login_throttled` after too many of those.
#[tracing::instrument(name = "users.sign_in", level = "debug", skip_all)]
pub async fn by_password(platform: &Platform, email: &str, given: &str, code: Option<&str>, origin: &Origin) -> Result<Step> {
    let email = email.trim().to_lowercase();
    let attempt = login_throttle::begin(platform, &email, origin).await?;
    if email.len() > MAX_EMAIL_BYTES || given.len() > password::MAX_BYTES {
        refused(platform, &email, json!({}), origin).await?;
        return Err(Error::InvalidCredentials);
    }
    let user = store::by_email(&platform.db, &email).await?;
    let verified = password::verify(given.to_owned(), user.as_ref().map(|user| user.password_hash.clone())).await?;
    let Some(user) = user.filter(|_| verified) else {
        refused(platform, &email, json!({}), origin).await?;
        return Err(Error::InvalidCredentials);
    };
    match code.map(str::trim).filter(|code| !code.is_empty()) {
        _ if !user.has_second_factor => {
            let mut tx = platform.db.begin().await?;
            attempt.succeeded(&mut tx, user.id).await?;
            enter(platform, tx, &user, json!({}), origin).await.map(Step::Done)
        }
        Some(code) => finish(platform, &user, code, &attempt, origin).await.map(Step::Done),
        None => {
            metrics::counter!(telemetry::LOGINS, "result" => "code_wanted").increment(1);
            let mut tx = platform.db.begin().await?;
            attempt.taken_back(&mut tx).await?;
            audit::record(&mut tx, entry(&user.email, Some(&user), "session.code_wanted", json!({}), origin)).await?;
            tx.commit().await?;
            Ok(Step::CodeWanted(user.id))
        }
    }
}

/// The second step for a user whose password was correct.
///
/// # Errors
/// `invalid_code`; `login_throttled` after too many of those.
pub async fn by_code(platform: &Platform, user: Uuid, code: &str, origin: &Origin) -> Result<Uuid> {
    let user = store::by_id(&platform.db, user).await?.ok_or(Error::Unauthenticated)?;
    let attempt = login_throttle::begin(platform, &user.email, origin).await?;
    finish(platform, &user, code, &attempt, origin).await
}

async fn finish(platform: &Platform, user: &User, code: &str, attempt: &login_throttle::Attempt, origin: &Origin) -> Result<Uuid> {
    let mut tx = platform.db.begin().await?;
    let Some(factor) = second_factor::use_code(platform, &mut tx, user.id, code).await? else {
        tx.rollback().await?;
        refused(platform, &user.email, json!({"second_factor": "refused"}), origin).await?;
        return Err(Error::InvalidCode);
    };
    attempt.succeeded(&mut tx, user.id).await?;
    enter(platform, tx, user, json!({"second_factor": factor.as_str()}), origin).await
}

async fn enter(platform: &Platform, mut tx: sqlx::PgTransaction<'_>, user: &User, data: Value, origin: &Origin) -> Result<Uuid> {
    metrics::counter!(telemetry::LOGINS, "result" => "ok").increment(1);
    store::touch_login(&mut tx, user.id, platform.clock.now()).await?;
    audit::record(&mut tx, entry(&user.email, Some(user), "session.login", data, origin)).await?;
    tx.commit().await?;
    Ok(user.id)
}

async fn refused(platform: &Platform, email: &str, data: Value, origin: &Origin) -> Result<()> {
    metrics::counter!(telemetry::LOGINS, "result" => "refused").increment(1);
    let actor = shown_email(email);
    refusals::record(platform, entry(&actor, None, "session.refused", data, origin)).await
}

fn entry<'a>(email: &'a str, user: Option<&User>, event_type: &'a str, data: Value, origin: &'a Origin) -> Entry<'a> {
    origin.entry(event_type, email, user.and_then(|user| user.customer), data)
}
