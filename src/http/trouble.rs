//! Pages for people where something in front of all pages has failed: nobody can be known while the database is away.

use super::{observe::RequestId, problem, router::theme_cookie, state::Server};
use crate::app::{ThemePreference, calls::problem::ProblemJson, components::problem_page, shell};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use leptos::{prelude::*, server_fn::ContentType};

/// Whoever opens a page gets a page, even from a layer that answers programs.
pub async fn speak_to_people(State(server): State<Server>, request: Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map_or("/", |at| at.as_str()).to_owned();
    if path.starts_with("/api/") {
        return next.run(request).await;
    }
    let id = request.extensions().get::<RequestId>().map(|id| id.0.to_string());
    let (parts, body) = request.into_parts();
    let theme = theme_cookie(&parts).unwrap_or(ThemePreference::System);
    let response = next.run(Request::from_parts(parts, body)).await;
    let of_a_layer = response.headers().get(header::CONTENT_TYPE).is_none_or(|value| value == ProblemJson::CONTENT_TYPE);
    if !response.status().is_server_error() || !of_a_layer {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let mut problem = problem::told(parts.status, body).await;
    problem.request_id = id;
    let options = server.platform.config.leptos.clone();
    let page = shell::plain(options, theme, "Billing", || problem_page(problem, path).into_any());
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if parts.status == StatusCode::SERVICE_UNAVAILABLE {
        parts.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    }
    Response::from_parts(parts, Body::from(page))
}
