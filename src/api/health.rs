//! `GET /health`, `/livez`, `/readyz`.

use crate::{
    http::state::Server,
    service::health::{self, Health, Status},
};
use axum::{Json, extract::State, http::StatusCode};

/// What works and what does not; 503 when the service can't be used.
pub async fn health(State(server): State<Server>) -> (StatusCode, Json<Health>) {
    let health = health::check(&server.platform, &server.jobs).await;
    let status = if health.status == Status::Down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(health))
}

/// The process runs.
pub async fn live() -> &'static str {
    "ok"
}

/// Send requests here: no as soon as the server stops, and while the database is away.
pub async fn ready(State(server): State<Server>) -> (StatusCode, &'static str) {
    if server.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping");
    }
    match health::check(&server.platform, &server.jobs).await.status {
        Status::Down => (StatusCode::SERVICE_UNAVAILABLE, "database unreachable"),
        _ => (StatusCode::OK, "ok"),
    }
}
