//! Reconciliations, for staff.

use super::Problem;
use crate::domain::reconcile::{ReconciliationDetail, ReconciliationPage};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/admin/reconciliations`. Every parameter arrives as text, so that a wrong one can be named in the answer.
#[server(name = GetReconciliations, prefix = "/api/v1", endpoint = "admin/reconciliations", input = GetUrl, output = Json)]
pub async fn reconciliations(page: Option<String>, limit: Option<String>) -> Result<ReconciliationPage, Problem> {
    let staff = crate::auth::guard::staff().await?;
    Ok(crate::service::reconcile::list(&staff.platform, page, limit).await?)
}

/// One run for its page. Programs use `GET /api/v1/admin/reconciliations/{id}`, the same use case.
#[server(name = GetReconciliation, prefix = "/api/v1", endpoint = "admin/reconciliation", input = GetUrl, output = Json)]
pub async fn reconciliation(
    id: String,
    kind: Option<String>,
    page: Option<String>,
    limit: Option<String>,
) -> Result<ReconciliationDetail, Problem> {
    let staff = crate::auth::guard::staff().await?;
    Ok(crate::service::reconcile::detail(&staff.platform, &id, kind, page, limit).await?)
}
