//! Users' changes to their own account: JSON under `/api/v1/auth`, and the forms of `/account`,
//! which work without JavaScript.

mod forms;

pub use forms::submit;

use crate::{
    domain::{
        second_factor::{RecoveryCodes, TotpOffer},
        session::SessionsEnded,
    },
    http::{
        extract::{JsonBody, Path},
        problem::ApiError,
        session,
        state::Server,
    },
    service::{actor::Origin, caller::Person, own_account, second_factor},
};
use axum::{
    Json,
    http::{HeaderName, StatusCode, header},
};
use serde::Deserialize;
use tower_sessions::Session;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default()
        .routes(routes!(change_password))
        .routes(routes!(end_session))
        .routes(routes!(end_other_sessions))
        .routes(routes!(offer_totp))
        .routes(routes!(confirm_totp))
        .routes(routes!(disable_totp))
}

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
    summary = "Change your password",
    description = "Ends your other sessions; this one continues with a new cookie. Wrong passwords are throttled like failed logins.",
    request_body(content = NewPassword),
    responses((status = 204, description = "Changed", headers(("Set-Cookie" = String, description = "The session's new cookie")))),
    extensions(("x-problems" = json!(["bad_request", "invalid_json", "invalid_parameter", "login_throttled"])))
)]
pub async fn change_password(
    person: Person,
    origin: Origin,
    session: Session,
    JsonBody(wanted): JsonBody<NewPassword>,
) -> Result<StatusCode, ApiError> {
    own_account::change_password(&person, &wanted.current_password, &wanted.new_password, &origin).await?;
    session::renew(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /auth/sessions/{id}`.
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions/{id}", tag = "Session",
    summary = "End one of your sessions",
    description = "Its cookie is invalid from then on.",
    params(("id" = uuid::Uuid, Path, description = "The session's id in the list")),
    responses((status = 204, description = "Ended")),
    extensions(("x-problems" = json!(["not_found", "bad_request"])))
)]
pub async fn end_session(person: Person, origin: Origin, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    own_account::end_session(&person, &id, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /auth/sessions/end-others`.
#[utoipa::path(
    post, path = "/api/v1/auth/sessions/end-others", tag = "Session",
    summary = "End your other sessions",
    responses((status = 200, description = "The number of ended sessions", body = SessionsEnded))
)]
pub async fn end_other_sessions(person: Person, origin: Origin) -> Result<Json<SessionsEnded>, ApiError> {
    Ok(Json(own_account::end_other_sessions(&person, &origin).await?))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPassword {
    #[schema(format = Password)]
    current_password: String,
}

/// A response that must not be cached.
type Once<T> = ([(HeaderName, &'static str); 1], Json<T>);

fn once<T>(answer: T) -> Once<T> {
    ([(header::CACHE_CONTROL, "no-store")], Json(answer))
}

/// `POST /auth/totp`.
#[utoipa::path(
    post, path = "/api/v1/auth/totp", tag = "Session",
    summary = "Set up an authenticator app",
    description = "Only this response contains the secret. It becomes active when `/api/v1/auth/totp/confirm` receives a valid code.",
    request_body(content = OwnPassword),
    responses((status = 201, description = "The secret: RFC 6238 with SHA-1, six digits, 30 seconds", body = TotpOffer,
        headers(("Cache-Control" = String, description = "`no-store`")))),
    extensions(("x-problems" = json!(["bad_request", "invalid_json", "invalid_parameter", "totp_enabled", "login_throttled"])))
)]
pub async fn offer_totp(
    person: Person,
    origin: Origin,
    JsonBody(given): JsonBody<OwnPassword>,
) -> Result<(StatusCode, Once<TotpOffer>), ApiError> {
    Ok((StatusCode::CREATED, once(second_factor::offer(&person, &given.current_password, &origin).await?)))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TotpCode {
    #[schema(example = "287082")]
    code: String,
}

/// `POST /auth/totp/confirm`.
#[utoipa::path(
    post, path = "/api/v1/auth/totp/confirm", tag = "Session",
    summary = "Activate an authenticator app",
    description = "Ends your other sessions. Only this response contains the recovery codes.",
    request_body(content = TotpCode),
    responses((status = 200, description = "The recovery codes", body = RecoveryCodes,
        headers(("Cache-Control" = String, description = "`no-store`")))),
    extensions(("x-problems" = json!(["bad_request", "invalid_json", "invalid_parameter", "totp_not_offered", "login_throttled"])))
)]
pub async fn confirm_totp(person: Person, origin: Origin, JsonBody(given): JsonBody<TotpCode>) -> Result<Once<RecoveryCodes>, ApiError> {
    Ok(once(second_factor::confirm(&person, &given.code, &origin).await?))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordAndCode {
    #[schema(format = Password)]
    current_password: String,
    /// From the app, or a recovery code.
    code: String,
}

/// `POST /auth/totp/disable`.
#[utoipa::path(
    post, path = "/api/v1/auth/totp/disable", tag = "Session",
    summary = "Remove the second factor",
    description = "Ends your other sessions.",
    request_body(content = PasswordAndCode),
    responses((status = 204, description = "Login requires only a password")),
    extensions(("x-problems" = json!(["bad_request", "invalid_json", "invalid_parameter", "login_throttled"])))
)]
pub async fn disable_totp(person: Person, origin: Origin, JsonBody(given): JsonBody<PasswordAndCode>) -> Result<StatusCode, ApiError> {
    second_factor::disable(&person, &given.current_password, &given.code, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
