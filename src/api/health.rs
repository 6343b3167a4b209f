//! `GET /health`, `/livez`, `/readyz`.

use crate::{
    http::state::Server,
    service::health::{self, Health, Status},
};
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default().routes(routes!(health)).routes(routes!(live)).routes(routes!(ready))
}

/// The probes on the address of the metrics too, where requests of clients don't crowd them out.
pub fn probes() -> Router<Server> {
    Router::new().route("/livez", get(live)).route("/readyz", get(ready))
}

/// Health of all dependencies; 503 if the service can't be used.
#[utoipa::path(
    get, path = "/api/v1/health", tag = "Service", security(()),
    summary = "Health of the service and its dependencies",
    responses(
        (status = 200, description = "The service works; `degraded` means that something is slow or broken", body = Health),
        (status = 503, description = "The service does not work", body = Health),
    )
)]
pub async fn health(State(server): State<Server>) -> (StatusCode, Json<Health>) {
    let health = health::check(&server.platform, server.jobs.is_alive(server.platform.clock.now())).await;
    let status = if health.status == Status::Down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(health))
}

/// Liveness: the process runs.
#[utoipa::path(
    get, path = "/livez", tag = "Service", security(()),
    summary = "Liveness: whether the process runs",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain; charset=utf-8"))
)]
pub async fn live() -> &'static str {
    "ok"
}

/// Readiness: fails from the start of a shutdown, and while the database is unavailable or
/// read-only.
#[utoipa::path(
    get, path = "/readyz", tag = "Service", security(()),
    summary = "Readiness: whether to send requests here",
    responses(
        (status = 200, description = "They may", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 503, description = "The server is shutting down, or its database is unavailable or read-only", body = String, content_type = "text/plain; charset=utf-8"),
    )
)]
pub async fn ready(State(server): State<Server>) -> (StatusCode, &'static str) {
    if server.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping");
    }
    match health::check(&server.platform, server.jobs.is_alive(server.platform.clock.now())).await.status {
        Status::Down => (StatusCode::SERVICE_UNAVAILABLE, "database unreachable or full"),
        _ => (StatusCode::OK, "ok"),
    }
}
