//! Reconciliations, for staff.

use super::Problem;
use crate::domain::{
    list::{DiscrepancyFilter, EveryRun, ListQuery},
    reconcile::{ReconciliationDetail, ReconciliationPage},
};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/admin/reconciliations`. An error names the invalid parameter.
#[utoipa::path(
        get, path = "/api/v1/admin/reconciliations", tag = "Administration",
        summary = "Reconciliation runs, newest first",
        params(crate::domain::list::Paging),
        responses((status = 200, description = "A page of runs", body = ReconciliationPage)),
        extensions(("x-role" = json!("admin")), ("x-problems" = json!(["invalid_parameter"])))
    )]
#[server(name = GetReconciliations, prefix = "/api/v1", endpoint = "admin/reconciliations", input = GetUrl, output = Json)]
pub async fn reconciliations(#[server(flatten)] query: ListQuery<EveryRun>) -> Result<ReconciliationPage, Problem> {
    let staff = crate::guard::staff().await?;
    Ok(crate::service::reconcile::list(&staff.platform, query).await?)
}

/// A run for its page. API clients use `GET /api/v1/admin/reconciliations/{id}` with the same use
/// case.
#[utoipa::path(
        get, path = "/api/v1/admin/reconciliation", tag = "Administration",
        summary = "One run, for its page",
        description = "The same as `GET /api/v1/admin/reconciliations/{id}`, which API clients use.",
        params(("id" = String, Query, description = "The run's id"), crate::domain::list::DiscrepancyFilter, crate::domain::list::Paging),
        responses((status = 200, description = "The run with a page of its discrepancies", body = ReconciliationDetail)),
        extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "invalid_parameter"])))
    )]
#[server(name = GetReconciliation, prefix = "/api/v1", endpoint = "admin/reconciliation", input = GetUrl, output = Json)]
pub async fn reconciliation(id: String, #[server(flatten)] query: ListQuery<DiscrepancyFilter>) -> Result<ReconciliationDetail, Problem> {
    let staff = crate::guard::staff().await?;
    Ok(crate::service::reconcile::detail(&staff.platform, &id, query).await?)
}
