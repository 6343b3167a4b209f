//! Input of a form whose session had ended: stored for the browser until the same user signs in
//! again, so that the page can show it. Nothing is applied by itself.
//!
//! It is in the browser's new session, which belongs to no user yet, so no other browser can read
//! or plant it. The form names the user whose page it was; another user who signs in gets nothing.
//! Forms with secrets are never stored, and requests of other sites don't get here (`cross_site`).

use super::{request::is_form, session_error::broken};
use crate::{
    app::{
        alert_form::{FormField, value},
        form_result::Unsaved,
        local_path::{SETTINGS, login_path},
        pages::{
            login::{SESSION_EXPIRED, SESSION_EXPIRED_UNSAVED},
            settings::{OWNER, TYPED},
        },
    },
    auth::Principal,
    service::Error,
};
use axum::{
    Form,
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::Extensions,
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use tower_sessions::{Expiry, Session};
use uuid::Uuid;

/// Maximum size of a stored form. The largest valid one has about 4 kB: ten recipients, and ten
/// thresholds of each kind.
const MAX_BYTES: usize = 8 * 1024;

/// Its name in the session.
pub const UNSAVED: &str = "unsaved";

/// How long it is stored before and after the login.
const STORED_FOR: Duration = Duration::minutes(30);

/// A form as stored in a session.
#[derive(Serialize, Deserialize)]
pub struct StoredForm {
    owner: Uuid,
    form: String,
    fields: Vec<FormField>,
    since: i64,
}

impl StoredForm {
    /// The form in these fields, if it is one to store.
    fn of(fields: Vec<FormField>, now: OffsetDateTime) -> Option<StoredForm> {
        let form = value(&fields, "form").to_owned();
        let owner = value(&fields, OWNER).parse().ok()?;
        let fields: Vec<FormField> = fields.into_iter().filter(|(name, _)| ![OWNER, "form", "confirm"].contains(&name.as_str())).collect();
        TYPED.contains(&form.as_str()).then_some(StoredForm { owner, form, fields, since: now.unix_timestamp() })
    }

    /// The same for the session of a user who signs in now; None for another user, or too late.
    pub fn for_user(self, user: Uuid, now: OffsetDateTime) -> Option<StoredForm> {
        let is_in_time = (0..STORED_FOR.whole_seconds()).contains(&(now.unix_timestamp() - self.since));
        (self.owner == user && is_in_time).then_some(StoredForm { since: now.unix_timestamp(), ..self })
    }
}

/// The stored form of a session. An unreadable one is ignored.
pub async fn stored(session: &Session) -> Option<StoredForm> {
    session.get(UNSAVED).await.ok().flatten()
}

/// The response to a page's form without a valid session: the login, which says why. Stores the
/// form's input if it has any.
pub async fn to_login(request: Request, now: OffsetDateTime) -> Response {
    let path = request.uri().path().to_owned();
    let session = request.extensions().get::<Session>().cloned();
    let is_stored = match session {
        Some(session) if path == SETTINGS && is_form(request.headers()) => match fields_of(request).await {
            Some(fields) => store(&session, fields, now).await,
            None => false,
        },
        _ => false,
    };
    let why = if is_stored { SESSION_EXPIRED_UNSAVED } else { SESSION_EXPIRED };
    Redirect::to(&format!("{}&error={why}", login_path(&path))).into_response()
}

async fn fields_of(request: Request) -> Option<Vec<FormField>> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, MAX_BYTES).await.ok()?;
    let Form(fields) = Form::from_request(Request::from_parts(parts, Body::from(bytes)), &()).await.ok()?;
    Some(fields)
}

/// Whether the form is stored. If it can't be written, the login still works.
async fn store(session: &Session, fields: Vec<FormField>, now: OffsetDateTime) -> bool {
    let Some(form) = StoredForm::of(fields, now) else { return false };
    // A new session: the id of an ended one may be known to others.
    session.clear().await;
    if session.cycle_id().await.is_err() || session.insert(UNSAVED, form).await.is_err() {
        return false;
    }
    session.set_expiry(Some(Expiry::OnInactivity(STORED_FOR)));
    match session.save().await {
        Ok(()) => true,
        Err(error) => {
            broken(error).log();
            session.clear().await;
            false
        }
    }
}

/// The input to show on the user's page.
pub async fn shown(extensions: &Extensions, now: OffsetDateTime) -> Option<Unsaved> {
    let (Some(Principal::User { id, .. }), Some(session)) = (extensions.get::<Principal>(), extensions.get::<Session>()) else {
        return None;
    };
    let StoredForm { form, fields, .. } = stored(session).await?.for_user(*id, now)?;
    Some(Unsaved { form, fields })
}

/// Deletes the stored input of a form, or of any form.
pub async fn discard(extensions: &Extensions, form: Option<&str>) -> Result<(), Error> {
    let Some(session) = extensions.get::<Session>() else { return Ok(()) };
    let Some(known) = stored(session).await else { return Ok(()) };
    if form.is_none_or(|form| form == known.form) {
        session.remove_value(UNSAVED).await.map_err(broken)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-22 15:50 UTC);

    fn fields(form: &str, owner: Uuid) -> Vec<FormField> {
        let pairs =
            [("form", form.to_owned()), (OWNER, owner.to_string()), ("name", "Ad server".to_owned()), ("confirm", "true".to_owned())];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    #[test]
    fn only_forms_with_input_are_stored() {
        let owner = Uuid::from_u128(7);
        for form in TYPED {
            let stored = StoredForm::of(fields(form, owner), NOW).unwrap();
            // A confirmation is given again.
            assert_eq!(stored.fields, [("name".to_owned(), "Ad server".to_owned())]);
        }
        for form in ["", "password", "totp-confirm", "key-revoke", "discard"] {
            assert!(StoredForm::of(fields(form, owner), NOW).is_none(), "{form}");
        }
        let mut unnamed = fields("key", owner);
        unnamed.retain(|(name, _)| name != OWNER);
        assert!(StoredForm::of(unnamed, NOW).is_none());
    }

    proptest! {
        #[test]
        fn no_other_user_gets_the_input(owner in any::<u128>(), user in any::<u128>(), seconds in -10_000i64..10_000) {
            let stored = StoredForm::of(fields("key", Uuid::from_u128(owner)), NOW).unwrap();
            let got = stored.for_user(Uuid::from_u128(user), NOW + Duration::seconds(seconds)).is_some();
            prop_assert_eq!(got, owner == user && (0..1800).contains(&seconds));
            let own = StoredForm::of(fields("key", Uuid::from_u128(owner)), NOW).unwrap().for_user(Uuid::from_u128(owner), NOW + Duration::seconds(seconds));
            prop_assert_eq!(own.is_some(), (0..1800).contains(&seconds));
        }
    }
}
