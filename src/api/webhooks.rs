//! `POST /webhooks/stripe`.

use crate::{
    http::{problem::ApiError, state::Server},
    service::{self, webhooks::Receipt},
};
use axum::{Json, body::Bytes, extract::State, http::HeaderMap};

/// Takes a signed event.
pub async fn stripe(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> Result<Json<Receipt>, ApiError> {
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    Ok(Json(service::webhooks::receive(&server.platform, signature, &body).await?))
}
