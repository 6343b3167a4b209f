//! Customers, for staff.

use super::Problem;
use crate::domain::{
    customer::CustomerPage,
    list::{CustomerFilter, ListQuery},
};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/admin/customers`. An error names the invalid parameter.
#[utoipa::path(
        get, path = "/api/v1/admin/customers", tag = "Administration",
        summary = "Customers by name, with the state of their mirror",
        params(crate::domain::list::CustomerFilter, crate::domain::list::Paging),
        responses((status = 200, description = "A page of customers", body = CustomerPage)),
        extensions(("x-role" = json!("admin")), ("x-problems" = json!(["invalid_parameter"])))
    )]
#[server(name = GetCustomers, prefix = "/api/v1", endpoint = "admin/customers", input = GetUrl, output = Json)]
pub async fn customers(#[server(flatten)] query: ListQuery<CustomerFilter>) -> Result<CustomerPage, Problem> {
    let staff = crate::guard::staff().await?;
    Ok(crate::service::customers::list(&staff.platform, query).await?)
}
