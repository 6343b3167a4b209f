//! Who is signed in.

use super::Problem;
use crate::domain::identity::Viewer;
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/auth/me`.
#[server(name = GetMe, prefix = "/api/v1", endpoint = "auth/me", input = GetUrl, output = Json)]
pub async fn me() -> Result<Viewer, Problem> {
    let reader = crate::auth::guard::reader().await?;
    Ok(crate::service::accounts::viewer(&reader.platform, &reader.principal).await?)
}
