//! Usage coming in, and its history as a file.

use crate::{
    auth::{Principal, guard},
    http::{problem::ApiError, state::Server},
    service::{
        Error,
        ingest::{self, Format, Receipt},
        usage::history,
    },
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

/// `POST /usage/events`: takes usage events of the key's customer.
pub async fn events(
    State(server): State<Server>,
    principal: Option<Extension<Principal>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Receipt>), ApiError> {
    let customer = match principal {
        None => return Err(Error::Unauthenticated.into()),
        Some(Extension(Principal::User { .. })) => return Err(Error::Forbidden("API key").into()),
        Some(Extension(Principal::ApiKey { customer, .. })) => customer,
    };
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Format::Json,
        "application/x-ndjson" => Format::Ndjson,
        _ => return Err(Error::UnsupportedMediaType("application/json, application/x-ndjson").into()),
    };
    Ok((StatusCode::ACCEPTED, Json(ingest::ingest(&server.platform, customer, format, &body).await?)))
}

/// What `GET /billing/usage/history` takes, too.
#[derive(Debug, Deserialize)]
pub struct HistoryParameters {
    #[serde(flatten)]
    query: history::Query,
    customer_id: Option<String>,
}

/// `GET /billing/usage/history.csv`.
pub async fn history_csv(
    State(server): State<Server>,
    Query(HistoryParameters { query, customer_id }): Query<HistoryParameters>,
    request: Request,
) -> Result<Response, ApiError> {
    let caller = guard::caller_of(server.platform, request.extensions(), customer_id.as_deref()).await?;
    let history = history::history(&caller.platform, caller.customer, query).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\""),
    ];
    Ok((headers, history.to_csv()).into_response())
}
