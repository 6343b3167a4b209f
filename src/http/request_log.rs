//! Gives every request an id, a log line and metrics.

use crate::telemetry::{self, traces};
use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderValue, Method},
    middleware::Next,
    response::Response,
};
use std::time::{Duration, Instant};
use tracing::field::Empty;
use uuid::Uuid;

/// In the `x-request-id` header of every response, in log lines and in problems.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(pub Uuid);

/// Marks an intended response of 500 or above: neither an error metric nor the audit log counts it.
#[derive(Clone, Copy, Debug)]
pub struct Meant;

/// The slowest target of the deployment checklist, a PDF's download: slower requests are always
/// logged.
const SLOW: Duration = Duration::from_secs(3);

/// Identifies, times and logs a request. Inner layers record further fields in its span,
/// [`telemetry::request::span`].
pub async fn log(mut request: Request, next: Next) -> Response {
    let id = RequestId(Uuid::new_v4());
    request.extensions_mut().insert(id);
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let path = shown(request.uri().path()).to_owned();
    let surface = if request.uri().path().starts_with("/api/") { "api" } else { "page" };
    let method = label(request.method());
    let span = tracing::info_span!(
        "request",
        request_id = %id.0,
        method,
        path,
        user = Empty,
        customer = Empty,
        stripe_event_id = Empty,
        usage_events = Empty,
        usage_event_id = Empty,
        otel.name = traces::on().then(|| format!("{method} {route}")),
        otel.kind = traces::on().then_some("server"),
    );
    traces::continue_from(&span, request.headers());
    for (key, value) in [("http.request.method", method), ("http.route", &route), ("url.path", &path)] {
        traces::attribute(&span, key, value.to_owned());
    }
    let started = Instant::now();
    let work = async {
        let response = next.run(request).await;
        let (status, taken) = (response.status().as_u16(), started.elapsed());
        if status >= 500 || taken >= SLOW {
            tracing::info!(status, ms = taken.as_millis(), "answered");
        } else {
            tracing::debug!(status, ms = taken.as_millis(), "answered");
        }
        response
    };
    let mut response = telemetry::request::within(span.clone(), work).await;
    let status = response.status();
    traces::attribute(&span, "http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        traces::failed(&span);
    }
    if status.is_server_error() && response.extensions().get::<Meant>().is_none() {
        metrics::counter!(telemetry::HTTP_SERVER_ERRORS, "surface" => surface).increment(1);
    }
    let class = ["1xx", "2xx", "3xx", "4xx", "5xx"].get(usize::from(status.as_u16() / 100).wrapping_sub(1)).copied().unwrap_or("other");
    metrics::counter!(telemetry::HTTP_RESPONSES, "route" => route.clone(), "method" => method, "class" => class).increment(1);
    metrics::histogram!(telemetry::HTTP_REQUEST_SECONDS, "route" => route, "method" => method).record(started.elapsed().as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id.0.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// Maximum number of bytes of a path in logs, traces and problems.
const MOST_SHOWN: usize = 255;

/// The beginning of a path.
pub(super) fn shown(path: &str) -> &str {
    let end = (0..=MOST_SHOWN.min(path.len())).rev().find(|end| path.is_char_boundary(*end)).unwrap_or(0);
    &path[..end]
}

/// A method as a label: clients can't create further ones.
pub(super) fn label(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_show_the_beginning_of_a_path() {
        assert_eq!(shown("/billing/usage"), "/billing/usage");
        assert_eq!(shown(&"/a".repeat(40_000)).len(), MOST_SHOWN);
        assert_eq!(shown(&"ü".repeat(400)).len(), MOST_SHOWN - 1);
    }
}
