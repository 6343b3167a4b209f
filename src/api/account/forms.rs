//! `POST /account`: the page's forms. What was done leads back to the page; what can't be used is answered by the page itself. Nothing secret
//! that was typed comes back.

use super::origin;
use crate::{
    app::{
        alert_form::FormField,
        outcome::{Outcome, Refusal},
        pages::account::ACCOUNT,
    },
    auth::{guard, layer},
    http::{router::page_after, state::Server},
    service::{Error, Result, own_account},
};
use axum::{
    Form,
    extract::State,
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use tower_sessions::Session;

/// Carries out one of the page's forms, named by its field `form`.
pub async fn submit(State(server): State<Server>, session: Session, parts: Parts, Form(fields): Form<Vec<FormField>>) -> Response {
    let error = match carry_out(&server, &session, &parts, &fields).await {
        Ok(word) => return Redirect::to(&format!("{ACCOUNT}?done={word}")).into_response(),
        Err(error) => error,
    };
    let retry_after = error.retry_after();
    let refused = Refusal { form: text(&fields, "form").to_owned(), fields: Vec::new(), problem: error.into() };
    let mut response = page_after(&server, parts, Outcome { refused: Some(refused), ..Outcome::default() }).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

async fn carry_out(server: &Server, session: &Session, parts: &Parts, fields: &[FormField]) -> Result<&'static str> {
    let person = guard::person_of(server.platform.clone(), &parts.extensions)?;
    let origin = origin(parts);
    Ok(match text(fields, "form") {
        "password" => {
            own_account::change_password(&person, text(fields, "current_password"), text(fields, "new_password"), &origin).await?;
            layer::renew(session).await?;
            "password"
        }
        "session-end" => {
            own_account::end_session(&person, text(fields, "id"), &origin).await?;
            "session_ended"
        }
        "sessions-end-others" => {
            own_account::end_other_sessions(&person, &origin).await?;
            "others_ended"
        }
        _ => return Err(Error::invalid("form", "names none of the page's forms")),
    })
}

/// A field as it was typed: a password may begin or end with spaces.
fn text<'a>(fields: &'a [FormField], name: &str) -> &'a str {
    fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
}
