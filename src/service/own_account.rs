//! Users' changes to their own account.

use super::{Error, Platform, Result, actor::Origin, caller::Person, login_throttle, new_password};
use crate::{
    auth::password,
    domain::{
        field_error::{Fault, FieldError, FieldErrors},
        language::Language,
        session::{OwnSessions, SessionsEnded},
    },
    store::postgres::{
        audit::{self, Entry},
        sessions, users as store,
    },
};
use serde_json::{Value, json};
use time::Duration;
use uuid::Uuid;

/// Changes a user's password, given the current one, and ends the user's other sessions.
///
/// # Errors
/// `invalid_parameter` for a wrong or unsuitable password, `login_throttled` after too many wrong
/// ones; `unavailable` if the new password could not be checked.
pub async fn change_password(person: &Person, current: &str, new: &str, origin: &Origin) -> Result<()> {
    let Person { platform, id, email, session, .. } = person;
    if new == current {
        return Err(Error::invalid_field("new_password", "is your current password", Fault::SamePassword));
    }
    new_password::check(platform, new, email).await.map_err(of_new_password)?;
    let attempt = confirm_password(person, current, "user.password_refused", origin).await?;
    let hash = password::hash(new.to_owned()).await.map_err(|error| of_new_password(error.into()))?;
    let mut tx = platform.db.begin().await?;
    store::set_password(&mut tx, email, &hash).await?.ok_or(Error::Unauthenticated)?;
    let ended = sessions::end_all(&mut tx, *id, session.as_ref()).await?;
    attempt.succeeded(&mut tx, *id).await?;
    audit::record(&mut tx, entry(person, "user.password_changed", json!({"sessions_ended": ended}), origin)).await?;
    Ok(tx.commit().await?)
}

/// Sets the user's language, for the console and for mails. None: the customer's preferred locale
/// or the browser decides.
pub async fn set_language(person: &Person, language: Option<Language>, origin: &Origin) -> Result<()> {
    let mut tx = person.platform.db.begin().await?;
    let before = store::set_language(&mut tx, person.id, language).await?.ok_or(Error::Unauthenticated)?;
    if before != language {
        let data = json!({"before": before, "after": language});
        audit::record(&mut tx, entry(person, "user.language_changed", data, origin)).await?;
    }
    Ok(tx.commit().await?)
}

/// The user's sessions.
pub async fn sessions(person: &Person) -> Result<OwnSessions> {
    let Person { platform, id, session, .. } = person;
    let since = platform.clock.now() - Duration::hours(platform.config.file.sessions.absolute_hours);
    Ok(OwnSessions { sessions: sessions::of_user(&platform.db, *id, session.as_ref(), since).await? })
}

/// Ends one of the user's sessions, possibly the current one.
pub async fn end_session(person: &Person, named: &str, origin: &Origin) -> Result<()> {
    let ended: Uuid = named.parse().map_err(|_| Error::NotFound("session"))?;
    let mut tx = person.platform.db.begin().await?;
    if !sessions::end(&mut tx, person.id, ended).await? {
        return Err(Error::NotFound("session"));
    }
    audit::record(&mut tx, entry(person, "session.ended", json!({"session": ended}), origin)).await?;
    Ok(tx.commit().await?)
}

/// Ends the user's other sessions.
pub async fn end_other_sessions(person: &Person, origin: &Origin) -> Result<SessionsEnded> {
    let mut tx = person.platform.db.begin().await?;
    let ended = sessions::end_all(&mut tx, person.id, person.session.as_ref()).await?;
    audit::record(&mut tx, entry(person, "session.others_ended", json!({"sessions_ended": ended}), origin)).await?;
    tx.commit().await?;
    Ok(SessionsEnded { ended })
}

/// Checks the user's password before a sensitive operation; a wrong one is audited and counts like
/// a failed login.
pub(super) async fn confirm_password(person: &Person, given: &str, refused: &str, origin: &Origin) -> Result<login_throttle::Attempt> {
    let Person { platform, id, email, .. } = person;
    let attempt = login_throttle::begin(platform, email, origin).await?;
    let user = store::by_id(&platform.db, *id).await?.ok_or(Error::Unauthenticated)?;
    if given.len() > password::MAX_BYTES || !password::verify(given.to_owned(), Some(user.password_hash)).await? {
        note(platform, entry(person, refused, json!({}), origin)).await?;
        return Err(Error::invalid_field("current_password", "is not your password", Fault::WrongPassword));
    }
    Ok(attempt)
}

pub(super) async fn note(platform: &Platform, entry: Entry<'_>) -> Result<()> {
    Ok(audit::record(&mut *platform.db.acquire().await?, entry).await?)
}

pub(super) fn entry<'a>(person: &'a Person, event_type: &'a str, data: Value, origin: &'a Origin) -> Entry<'a> {
    origin.entry(event_type, &person.email, person.principal.customer(), data)
}

/// The password rules name the field `password`.
fn of_new_password(error: Error) -> Error {
    match error {
        Error::InvalidFields(errors) => {
            let renamed = errors.into_vec().into_iter().map(|error| FieldError { field: "new_password".to_owned(), ..error });
            renamed.collect::<FieldErrors>().into()
        }
        other => other,
    }
}
