//! Every request gets an id, a log line and its place in the metrics.

use crate::telemetry;
use axum::{
    extract::{MatchedPath, Request},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};
use std::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

/// In the `x-request-id` header of every answer, in its log lines and in every problem.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(pub Uuid);

/// Names, times and logs a request.
pub async fn request(mut request: Request, next: Next) -> Response {
    let id = RequestId(Uuid::new_v4());
    request.extensions_mut().insert(id);
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", id = %id.0, method = %request.method(), path = request.uri().path());
    let started = Instant::now();
    let mut response = async {
        let response = next.run(request).await;
        tracing::debug!(status = response.status().as_u16(), ms = started.elapsed().as_millis(), "answered");
        response
    }
    .instrument(span)
    .await;
    let status = response.status().as_u16().to_string();
    metrics::histogram!(telemetry::HTTP_REQUEST_SECONDS, "route" => route, "status" => status).record(started.elapsed().as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id.0.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}
