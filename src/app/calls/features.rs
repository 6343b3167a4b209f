//! What is switched on.

use super::Problem;
use crate::domain::features::Features;
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/meta/features`, for anyone.
#[cfg_attr(
    feature = "ssr",
    utoipa::path(
        get, path = "/api/v1/meta/features", tag = "Service", security(()),
        summary = "What is switched on",
        responses((status = 200, description = "The switches", body = Features))
    )
)]
#[server(name = GetFeatures, prefix = "/api/v1", endpoint = "meta/features", input = GetUrl, output = Json)]
pub async fn features() -> Result<Features, Problem> {
    Ok(crate::service::features::current(&crate::auth::guard::platform()?))
}
