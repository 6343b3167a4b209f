//! `POST /account`: the page's forms. A success redirects to the page; an error renders the page
//! itself. Secret input is never sent back.

use crate::{
    app::{
        alert_form::FormField,
        form_result::{Offered, Outcome, Refusal},
        local_path::ACCOUNT,
        pages::account::page as account_page,
    },
    auth::totp,
    domain::second_factor::TotpOffer,
    http::{extract::FormBody, page::in_console, problem::ApiError, session, state::Server},
    service::{self, Error, actor::Origin, caller::Person, own_account, second_factor},
};
use axum::{
    extract::State,
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use tower_sessions::Session;

/// The response to an accepted form.
enum Done {
    /// A redirect to the page, with this message.
    Said(&'static str),
    /// The page itself, with data that must not be in a URL.
    Shown(Box<Outcome>),
}

/// Handles one of the page's forms, selected by its field `form`.
pub async fn submit(
    State(server): State<Server>,
    person: Result<Person, ApiError>,
    origin: Origin,
    session: Session,
    parts: Parts,
    FormBody(fields): FormBody<Vec<FormField>>,
) -> Response {
    let (person, done) = match person {
        Ok(person) => {
            let done = carry_out(&person, &origin, &session, &fields).await;
            (Some(person), done)
        }
        Err(ApiError(error)) => (None, Err(error)),
    };
    let (outcome, retry_after) = match done {
        Ok(Done::Said(word)) => return Redirect::to(&format!("{ACCOUNT}?done={word}")).into_response(),
        Ok(Done::Shown(outcome)) => (*outcome, None),
        Err(error) => {
            let retry_after = error.retry_after();
            let form = text(&fields, "form").to_owned();
            // After a mistyped code the user still needs the secret.
            let offered = if form == "totp-confirm" { still_offered(person.as_ref()).await } else { None };
            let refused = Some(Refusal::new(form, Vec::new(), error));
            (Outcome { refused, offered, ..Outcome::default() }, retry_after)
        }
    };
    let mut response = in_console(&server, parts, outcome, account_page()).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

async fn carry_out(person: &Person, origin: &Origin, session: &Session, fields: &[FormField]) -> service::Result<Done> {
    let word = match text(fields, "form") {
        "password" => {
            own_account::change_password(person, text(fields, "current_password"), text(fields, "new_password"), origin).await?;
            session::renew(session).await?;
            "password"
        }
        "session-end" => {
            own_account::end_session(person, text(fields, "id"), origin).await?;
            "session_ended"
        }
        "sessions-end-others" => {
            own_account::end_other_sessions(person, origin).await?;
            "others_ended"
        }
        "totp-offer" => {
            let offer = second_factor::offer(person, text(fields, "current_password"), origin).await?;
            let outcome = Outcome { offered: Some(offered(offer)?), ..Outcome::default() };
            return Ok(Done::Shown(Box::new(outcome)));
        }
        "totp-confirm" => {
            let codes = second_factor::confirm(person, text(fields, "code"), origin).await?;
            let outcome = Outcome { recovery_codes: codes.recovery_codes, ..Outcome::default() };
            return Ok(Done::Shown(Box::new(outcome)));
        }
        "totp-disable" => {
            second_factor::disable(person, text(fields, "current_password"), text(fields, "code"), origin).await?;
            "totp_disabled"
        }
        _ => return Err(Error::invalid("form", "is not one of the page's forms")),
    };
    Ok(Done::Said(word))
}

fn offered(TotpOffer { secret, uri }: TotpOffer) -> service::Result<Offered> {
    Ok(Offered { qr: totp::qr(&uri)?, secret, uri })
}

async fn still_offered(person: Option<&Person>) -> Option<Offered> {
    second_factor::pending(person?).await.ok()?.and_then(|offer| offered(offer).ok())
}

/// A field as typed: a password may begin or end with spaces.
fn text<'a>(fields: &'a [FormField], name: &str) -> &'a str {
    fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
}
