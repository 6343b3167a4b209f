//! `POST /usage/events`.

use crate::{
    auth::Principal,
    http::{problem::ApiError, state::Server},
    service::{
        Error,
        ingest::{self, Format, Receipt},
    },
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};

/// Takes usage events of the key's customer.
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
