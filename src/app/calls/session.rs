//! The signed-in user.

use super::Problem;
use crate::domain::{identity::Viewer, second_factor::TotpState, session::OwnSessions};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/auth/me`.
#[utoipa::path(
        get, path = "/api/v1/auth/me", tag = "Session",
        summary = "The signed-in user",
        responses((status = 200, description = "The user, and the customer whose data it sees", body = Viewer))
    )]
#[server(name = GetMe, prefix = "/api/v1", endpoint = "auth/me", input = GetUrl, output = Json)]
pub async fn me() -> Result<Viewer, Problem> {
    let (platform, principal) = crate::guard::signed_in().await?;
    Ok(crate::service::users::viewer(&platform, &principal).await?)
}

/// `GET /api/v1/auth/sessions`.
#[utoipa::path(
        get, path = "/api/v1/auth/sessions", tag = "Session", security(("cookie" = [])),
        summary = "Your sessions",
        description = "At most 100. The ids are not credentials.",
        responses((status = 200, description = "The current session first", body = OwnSessions))
    )]
#[server(name = GetOwnSessions, prefix = "/api/v1", endpoint = "auth/sessions", input = GetUrl, output = Json)]
pub async fn own_sessions() -> Result<OwnSessions, Problem> {
    let person = crate::guard::person().await?;
    Ok(crate::service::own_account::sessions(&person).await?)
}

/// `GET /api/v1/auth/totp`.
#[utoipa::path(
        get, path = "/api/v1/auth/totp", tag = "Session", security(("cookie" = [])),
        summary = "Your second factor",
        responses((status = 200, description = "Whether it is set up, and whether it is required", body = TotpState))
    )]
#[server(name = GetTotp, prefix = "/api/v1", endpoint = "auth/totp", input = GetUrl, output = Json)]
pub async fn totp() -> Result<TotpState, Problem> {
    let person = crate::guard::person().await?;
    Ok(crate::service::second_factor::state(&person).await?)
}
