//! The e-mail address of a failed login, so that the login page can show it again: in a cookie for
//! that page, so that it is in no URL, history or proxy log.

use crate::{
    app::{local_path::percent_encode, pages::login::LoginEmail},
    service::actor::MAX_EMAIL_BYTES,
};
use axum::http::{HeaderValue, header, request::Parts};
use percent_encoding::percent_decode_str;

const COOKIE: &str = "login_email";

/// The cookie with an address; None if it exceeds the maximum length.
pub fn remember(email: &str, is_https: bool) -> Option<HeaderValue> {
    let secure = if is_https { "; Secure" } else { "" };
    let is_address = !email.is_empty() && email.len() <= MAX_EMAIL_BYTES;
    let cookie = format!("{COOKIE}={}; Path=/login; Max-Age=120; HttpOnly; SameSite=Lax{secure}", percent_encode(email));
    is_address.then(|| HeaderValue::from_str(&cookie).ok()).flatten()
}

/// The request's address, and the cookie that deletes it.
pub fn take(parts: &Parts) -> Option<(LoginEmail, HeaderValue)> {
    let cookies = parts.headers.get(header::COOKIE)?.to_str().ok()?;
    let value = cookies.split(';').find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
    let email = percent_decode_str(value).decode_utf8().ok().filter(|email| email.len() <= MAX_EMAIL_BYTES).unwrap_or_default();
    let deleted = HeaderValue::from_static("login_email=; Path=/login; Max-Age=0; HttpOnly; SameSite=Lax");
    Some((LoginEmail(email.into_owned()), deleted))
}
