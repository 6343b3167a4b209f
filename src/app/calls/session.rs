//! Who is signed in.

use super::Problem;
use crate::domain::identity::Viewer;
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
    let reader = crate::auth::guard::reader().await?;
    Ok(crate::service::accounts::viewer(&reader.platform, &reader.principal).await?)
}
