//! `POST /theme`: stores the colour scheme in a cookie, for pages without JavaScript.

use crate::{app::local_path::next_path, http::extract::FormBody};
use axum::{
    http::header::SET_COOKIE,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Choice {
    theme: Theme,
    #[serde(default)]
    next: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Theme {
    System,
    Light,
    Dark,
}

/// Sets the cookie and redirects back.
pub async fn choose(FormBody(choice): FormBody<Choice>) -> Response {
    let cookie = match choice.theme {
        Theme::Light => "theme=light; Path=/; Max-Age=31536000; SameSite=Lax",
        Theme::Dark => "theme=dark; Path=/; Max-Age=31536000; SameSite=Lax",
        Theme::System => "theme=; Path=/; Max-Age=0; SameSite=Lax",
    };
    ([(SET_COOKIE, cookie)], Redirect::to(next_path(&choice.next))).into_response()
}
