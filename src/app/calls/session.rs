//! Who is signed in.

use super::Problem;
use crate::domain::{identity::Viewer, second_factor::TotpState, session::OwnSessions};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/auth/me`.
#[cfg_attr(
    feature = "ssr",
    utoipa::path(
        get, path = "/api/v1/auth/me", tag = "Session",
        summary = "Who is signed in",
        responses((status = 200, description = "The person, and the customer whose data it sees", body = Viewer))
    )
)]
#[server(name = GetMe, prefix = "/api/v1", endpoint = "auth/me", input = GetUrl, output = Json)]
pub async fn me() -> Result<Viewer, Problem> {
    let (platform, principal) = crate::guard::signed_in().await?;
    Ok(crate::service::users::viewer(&platform, &principal).await?)
}

/// `GET /api/v1/auth/sessions`.
#[cfg_attr(
    feature = "ssr",
    utoipa::path(
        get, path = "/api/v1/auth/sessions", tag = "Session", security(("cookie" = [])),
        summary = "One's own sessions",
        description = "At most 100. Their ids name them here, and are nothing to sign in with.",
        responses((status = 200, description = "The one that asks first", body = OwnSessions))
    )
)]
#[server(name = GetOwnSessions, prefix = "/api/v1", endpoint = "auth/sessions", input = GetUrl, output = Json)]
pub async fn own_sessions() -> Result<OwnSessions, Problem> {
    let person = crate::guard::person().await?;
    Ok(crate::service::own_account::sessions(&person).await?)
}

/// `GET /api/v1/auth/totp`.
#[cfg_attr(
    feature = "ssr",
    utoipa::path(
        get, path = "/api/v1/auth/totp", tag = "Session", security(("cookie" = [])),
        summary = "One's own second factor",
        responses((status = 200, description = "Whether it is set up, and has to be", body = TotpState))
    )
)]
#[server(name = GetTotp, prefix = "/api/v1", endpoint = "auth/totp", input = GetUrl, output = Json)]
pub async fn totp() -> Result<TotpState, Problem> {
    let person = crate::guard::person().await?;
    Ok(crate::service::second_factor::state(&person).await?)
}
