//! Features.

use super::Problem;
use crate::domain::features::{Features, Switch};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/meta/features`, without authentication.
#[utoipa::path(
        get, path = "/api/v1/meta/features", tag = "Service", security(()),
        summary = "Features that are on",
        responses((status = 200, description = "The features", body = Features))
    )]
#[server(name = GetFeatures, prefix = "/api/v1", endpoint = "meta/features", input = GetUrl, output = Json)]
pub async fn features() -> Result<Features, Problem> {
    Ok(crate::service::features::current(&crate::guard::platform()?))
}

/// `GET /api/v1/admin/features`: every switch, and who set it last.
#[utoipa::path(
        get, path = "/api/v1/admin/features", tag = "Administration",
        summary = "Every switch, and who set it last",
        responses((status = 200, description = "The features", body = Vec<Switch>)),
        extensions(("x-role" = json!("admin")))
    )]
#[server(name = GetSwitches, prefix = "/api/v1", endpoint = "admin/features", input = GetUrl, output = Json)]
pub async fn switches() -> Result<Vec<Switch>, Problem> {
    let staff = crate::guard::staff().await?;
    Ok(crate::service::features::list(&staff.platform).await?)
}
