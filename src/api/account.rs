//! What people do with their own account: for programs under `/api/v1/auth`, for people by the forms of `/account`, which work without
//! JavaScript.

mod forms;

pub use forms::submit;

use super::{auth::origin_of, settings::read};
use crate::{
    auth::{guard, layer},
    domain::session::SessionsEnded,
    http::{problem::ApiError, state::Server},
    service::{accounts::Origin, own_account},
};
use axum::{
    Json,
    body::Bytes,
    extract::{ConnectInfo, Path, State},
    http::{StatusCode, request::Parts},
};
use serde::Deserialize;
use std::net::SocketAddr;
use tower_sessions::Session;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    #[schema(format = Password)]
    current_password: String,
    #[schema(format = Password)]
    new_password: String,
}

/// `POST /auth/password`.
#[utoipa::path(
    post, path = "/api/v1/auth/password", tag = "Session",
    summary = "Change one's own password",
    description = "Ends every other session of the person; this one goes on, under a new cookie. Wrong passwords are throttled as at signing in.",
    request_body(content = NewPassword),
    responses((status = 204, description = "Changed", headers(("Set-Cookie" = String, description = "The session's new cookie")))),
    extensions(("x-problems" = json!(["bad_request", "invalid_json", "invalid_parameter", "login_throttled"])))
)]
pub async fn change_password(State(server): State<Server>, session: Session, parts: Parts, body: Bytes) -> Result<StatusCode, ApiError> {
    let person = guard::person_of(server.platform, &parts.extensions)?;
    let wanted: NewPassword = read(&parts, &body)?;
    own_account::change_password(&person, &wanted.current_password, &wanted.new_password, &origin(&parts)).await?;
    layer::renew(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /auth/sessions/{id}`.
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions/{id}", tag = "Session",
    summary = "End one of one's own sessions",
    description = "Whoever has its cookie is nobody from now on.",
    params(("id" = uuid::Uuid, Path, description = "The session's id, as the list names it")),
    responses((status = 204, description = "Ended")),
    extensions(("x-problems" = json!(["not_found", "bad_request"])))
)]
pub async fn end_session(State(server): State<Server>, Path(id): Path<String>, parts: Parts) -> Result<StatusCode, ApiError> {
    let person = guard::person_of(server.platform, &parts.extensions)?;
    own_account::end_session(&person, &id, &origin(&parts)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /auth/sessions/end-others`.
#[utoipa::path(
    post, path = "/api/v1/auth/sessions/end-others", tag = "Session",
    summary = "End all of one's own sessions but this one",
    responses((status = 200, description = "How many there were", body = SessionsEnded))
)]
pub async fn end_other_sessions(State(server): State<Server>, parts: Parts) -> Result<Json<SessionsEnded>, ApiError> {
    let person = guard::person_of(server.platform, &parts.extensions)?;
    Ok(Json(own_account::end_other_sessions(&person, &origin(&parts)).await?))
}

fn origin(parts: &Parts) -> Origin {
    origin_of(&parts.headers, parts.extensions.get::<ConnectInfo<SocketAddr>>())
}
