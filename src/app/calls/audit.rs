//! The audit log, for staff.

// Each query parameter is a function parameter, which the macro repeats in its own code.
#![allow(clippy::too_many_arguments)]

use super::Problem;
use crate::domain::audit::AuditPage;
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/admin/audit`. Every parameter is text, so that an error can name it.
#[cfg_attr(
    feature = "ssr",
    utoipa::path(
        get, path = "/api/v1/admin/audit", tag = "Administration",
        summary = "The audit log, newest first",
        params(crate::app::calls::parameters::AuditFilter, crate::app::calls::parameters::Paging),
        responses((status = 200, description = "A page; counted up to 10,000 entries", body = AuditPage)),
        extensions(("x-role" = json!("admin")), ("x-problems" = json!(["invalid_parameter"])))
    )
)]
#[server(name = GetAudit, prefix = "/api/v1", endpoint = "admin/audit", input = GetUrl, output = Json)]
pub async fn audit(
    #[server(rename = "type")] event_type: Option<String>,
    actor: Option<String>,
    customer_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    q: Option<String>,
    page: Option<String>,
    limit: Option<String>,
) -> Result<AuditPage, Problem> {
    let staff = crate::guard::staff().await?;
    let query = crate::service::audit::Query { event_type, actor, customer_id, from, to, q, page, limit };
    Ok(crate::service::audit::list(&staff.platform, query).await?)
}
