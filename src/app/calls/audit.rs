//! The audit log, for staff.

use super::Problem;
use crate::domain::{
    audit::AuditPage,
    list::{AuditFilter, ListQuery},
};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/admin/audit`. An error names the invalid parameter.
#[utoipa::path(
        get, path = "/api/v1/admin/audit", tag = "Administration",
        summary = "The audit log, newest first",
        params(crate::domain::list::AuditFilter, crate::domain::list::Paging),
        responses((status = 200, description = "A page; counted up to 10,000 entries", body = AuditPage)),
        extensions(("x-role" = json!("admin")), ("x-problems" = json!(["invalid_parameter"])))
    )]
#[server(name = GetAudit, prefix = "/api/v1", endpoint = "admin/audit", input = GetUrl, output = Json)]
pub async fn audit(#[server(flatten)] query: ListQuery<AuditFilter>) -> Result<AuditPage, Problem> {
    let staff = crate::guard::staff().await?;
    Ok(crate::service::audit::list(&staff.platform, query).await?)
}
