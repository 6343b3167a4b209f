//! The audit log as a CSV file.

use crate::{
    domain::list::AuditFilter,
    http::{extract::Query, problem::ApiError, state::Server},
    service::{audit, caller::Staff},
};
use axum::{
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use futures::TryStreamExt;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default().routes(routes!(csv))
}

/// `GET /admin/audit.csv`: all entries that match the filters of `GET /admin/audit`.
#[utoipa::path(
    get, path = "/api/v1/admin/audit.csv", tag = "Administration",
    summary = "The audit log as a CSV file",
    params(AuditFilter),
    responses((status = 200, description = "A header and a row per entry (RFC 4180), newest first", body = String,
        content_type = "text/csv; charset=utf-8; header=present",
        headers(("Content-Disposition" = String, description = "`attachment` with a file name")))),
    extensions(("x-role" = json!("admin")), ("x-problems" = json!(["bad_request", "invalid_parameter"])))
)]
pub async fn csv(staff: Staff, Query(query): Query<AuditFilter>) -> Result<Response, ApiError> {
    let rows = audit::csv(&staff.platform, query)?.map_err(|error| {
        tracing::error!(%error, "the audit log's file ends early");
        error
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok((headers, Body::from_stream(rows)).into_response())
}
