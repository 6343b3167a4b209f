//! The language of a request: the user's setting, else the cookie, else the customer's preferred
//! locale, else `Accept-Language`.

use crate::{auth::Principal, domain::language::Language};
use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, header, request::Parts},
    middleware::Next,
    response::Response,
};
use std::convert::Infallible;

/// The cookie with the choice of a browser: for the login page, and for users without a setting.
pub const COOKIE: &str = "language";

/// Determines the request's language. Pages of unauthenticated requests vary by the header.
pub async fn choose(mut request: Request, next: Next) -> Response {
    let principal = request.extensions().get::<Principal>();
    let is_anonymous = principal.is_none();
    let language = of(request.headers(), principal);
    request.extensions_mut().insert(language);
    let mut response = next.run(request).await;
    let is_html = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    if is_anonymous && is_html {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-language"));
    }
    // For error pages, which are rendered outside of this layer.
    response.extensions_mut().insert(language);
    response
}

/// The language of a request by its headers and its user.
pub fn of(headers: &HeaderMap, principal: Option<&Principal>) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let chosen = principal.and_then(Principal::language).or_else(|| cookie(headers));
    let customer = principal.and_then(Principal::customer_language);
    Language::choose(chosen, customer.map(Language::code), accepted)
}

fn cookie(headers: &HeaderMap) -> Option<Language> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    let value = pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE)?.1;
    value.parse().ok()
}

/// The cookie of a choice; without one it is removed.
pub fn set_cookie(language: Option<Language>, is_https: bool) -> String {
    let (code, age) = language.map_or(("", 0), |language| (language.code(), 365 * 24 * 3_600));
    let secure = if is_https { "; Secure" } else { "" };
    format!("{COOKIE}={code}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Language, Infallible> {
        Ok(of_parts(parts))
    }
}

/// The language that [`choose`] determined, else by the headers alone.
pub fn of_parts(parts: &Parts) -> Language {
    parts.extensions.get().copied().unwrap_or_else(|| of(&parts.headers, None))
}

#[cfg(test)]
mod tests {
    use super::{Language::*, *};
    use crate::domain::{identity::CustomerId, role::Role};
    use uuid::Uuid;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn user(language: Option<Language>, customer_language: Option<Language>) -> Principal {
        Principal::User {
            id: Uuid::nil(),
            email: "a@b.example".into(),
            role: Role::Publisher,
            customer: Some(CustomerId(Uuid::nil())),
            has_second_factor: false,
            viewing: None,
            customer_name: None,
            language,
            customer_language,
        }
    }

    #[test]
    fn the_closest_choice_decides() {
        let sent = headers(&[("cookie", "theme=dark; language=fr"), ("accept-language", "de")]);
        assert_eq!(of(&sent, Some(&user(Some(English), Some(German)))), English);
        assert_eq!(of(&sent, Some(&user(None, Some(German)))), French);
        assert_eq!(of(&sent, None), French);
        let sent = headers(&[("cookie", "language=xx"), ("accept-language", "de-AT, fr;q=0.5")]);
        assert_eq!(of(&sent, Some(&user(None, Some(French)))), French);
        assert_eq!(of(&sent, Some(&user(None, None))), German);
        assert_eq!(of(&headers(&[]), None), English);
    }

    #[test]
    fn the_cookie_is_for_this_host_and_not_for_scripts() {
        assert_eq!(set_cookie(Some(German), true), "language=de; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(set_cookie(None, false), "language=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }
}
