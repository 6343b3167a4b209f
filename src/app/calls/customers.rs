//! Customers, for staff.

use super::Problem;
use crate::domain::customer::CustomerPage;
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/admin/customers`. Every parameter is text, so that an error can name it.
#[cfg_attr(
    feature = "ssr",
    utoipa::path(
        get, path = "/api/v1/admin/customers", tag = "Administration",
        summary = "Customers by name, with the state of their mirror",
        params(crate::app::calls::parameters::CustomerFilter, crate::app::calls::parameters::Paging),
        responses((status = 200, description = "A page of customers", body = CustomerPage)),
        extensions(("x-role" = json!("admin")), ("x-problems" = json!(["invalid_parameter"])))
    )
)]
#[server(name = GetCustomers, prefix = "/api/v1", endpoint = "admin/customers", input = GetUrl, output = Json)]
pub async fn customers(q: Option<String>, page: Option<String>, limit: Option<String>) -> Result<CustomerPage, Problem> {
    let staff = crate::guard::staff().await?;
    Ok(crate::service::customers::list(&staff.platform, q, page, limit).await?)
}
