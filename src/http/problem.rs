//! Converts all errors to problem+json: of use cases, server functions and axum.

use super::request_log;
use crate::{
    app::calls::{Problem, problem::ProblemJson},
    domain::error_code::{ErrorCode, Severity},
    service::Error,
};
use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Limited};
use leptos::server_fn::ContentType;

/// Maximum size of an error body that is read to complete it.
const MAX_PROBLEM_BYTES: usize = 64 * 1024;

/// The error code of a response, for outer layers.
#[derive(Clone, Debug)]
pub struct Code(pub String);

/// A use case's error as a handler's response.
pub struct ApiError(pub Error);

impl<E: Into<Error>> From<E> for ApiError {
    fn from(error: E) -> Self {
        ApiError(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry_after = self.0.retry_after();
        let accepted = if let Error::UnsupportedContentEncoding(codings) = &self.0 { Some(*codings) } else { None };
        let mut response = respond(&self.0.into());
        // RFC 9110 section 15.5.16.
        if let Some(codings) = accepted {
            response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(codings));
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A problem as a response.
pub fn respond(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(problem).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, ProblemJson::CONTENT_TYPE)], body).into_response()
}

/// Completes every error under `/api`: sets the status of server functions' errors, and the body of
/// axum's, and adds path, request id and headers.
pub async fn complete(mut request: Request, next: Next) -> Response {
    let path = request_log::shown(request.uri().path()).to_owned();
    if !path.starts_with("/api/") {
        return next.run(request).await;
    }
    // Server functions respond to a browser's form with a redirect to its page; the API responds
    // with the result.
    let accepts_html =
        request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"));
    if accepts_html {
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    }
    // Server functions only support GET; axum removes the body of a HEAD response.
    if request.method() == Method::HEAD {
        *request.method_mut() = Method::GET;
    }
    let request_id = request.extensions().get::<request_log::RequestId>().map(|id| id.0.to_string());
    let response = next.run(request).await;
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    // A response of its own, such as the health check's.
    if content_type.is_some_and(|value| value == "application/json") {
        return Response::from_parts(parts, body);
    }
    let is_problem = content_type.is_some_and(|value| value == ProblemJson::CONTENT_TYPE);
    let read = if is_problem { read(body).await.and_then(|bytes| serde_json::from_slice::<Problem>(&bytes).ok()) } else { None };
    let mut problem = read.unwrap_or_else(|| Problem::of_status(parts.status.as_u16()));
    problem.instance = Some(path);
    problem.request_id = request_id;
    parts.status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ProblemJson::CONTENT_TYPE));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if parts.status == StatusCode::UNAUTHORIZED {
        parts.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer realm="apex-billing""#));
    }
    if let Some(code) = ErrorCode::parse(&problem.code) {
        if let Some(seconds) = code.seconds() {
            parts.headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if parts.status.is_server_error() && code.severity() == Severity::Expected {
            parts.extensions.insert(request_log::Meant);
        }
    }
    let body = Body::from(serde_json::to_vec(&problem).unwrap_or_default());
    parts.extensions.insert(Code(problem.code));
    Response::from_parts(parts, body)
}

/// The problem of a response, or the one of its status.
pub async fn of_response(status: StatusCode, body: Body) -> Problem {
    read(body).await.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_else(|| Problem::of_status(status.as_u16()))
}

async fn read(body: Body) -> Option<Bytes> {
    Limited::new(body, MAX_PROBLEM_BYTES).collect().await.ok().map(|collected| collected.to_bytes())
}
