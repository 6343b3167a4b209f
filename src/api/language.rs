//! `POST /language`: the language of the console, for pages without JavaScript. A signed-in user's
//! choice is stored with the account and also applies to mails; the browser gets a cookie.

use crate::{
    app::local_path::next_path,
    domain::language::Language,
    http::{extract::FormBody, language::set_cookie, problem::ApiError, state::Server},
    service::{Error, actor::Origin, caller::Person, own_account},
};
use axum::{
    extract::State,
    http::header::SET_COOKIE,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Choice {
    /// Empty: the customer's preferred locale or the browser decides.
    #[serde(default)]
    language: String,
    #[serde(default)]
    next: String,
}

/// Stores the choice and redirects back.
pub async fn choose(
    State(server): State<Server>,
    person: Result<Person, ApiError>,
    origin: Origin,
    FormBody(choice): FormBody<Choice>,
) -> Result<Response, ApiError> {
    let language: Option<Language> = match choice.language.as_str() {
        "" => None,
        code => Some(code.parse().map_err(|why: String| Error::invalid("language", why))?),
    };
    match person {
        Ok(person) => own_account::set_language(&person, language, &origin).await?,
        Err(ApiError(Error::Unauthenticated)) => {}
        Err(error) => return Err(error),
    }
    let cookie = set_cookie(language, server.platform.config.public_url.is_https());
    Ok(([(SET_COOKIE, cookie)], Redirect::to(next_path(&choice.next))).into_response())
}
