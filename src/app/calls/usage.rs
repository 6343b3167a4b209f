//! Usage.

use super::Problem;
use crate::domain::usage::UsageCurrent;
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/billing/usage/current`. Staff name the customer by `customer_id`; others see their own.
#[server(name = GetUsageCurrent, prefix = "/api/v1", endpoint = "billing/usage/current", input = GetUrl, output = Json)]
pub async fn usage_current(customer_id: Option<String>) -> Result<UsageCurrent, Problem> {
    let caller = crate::auth::guard::caller(customer_id).await?;
    Ok(crate::service::usage::current(&caller.platform, caller.customer).await?)
}
