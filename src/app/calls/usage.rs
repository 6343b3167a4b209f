//! Usage.

use super::Problem;
use crate::domain::{
    alert::AlertStanding,
    usage::UsageCurrent,
    usage_history::{UsageHistory, UsageSpan},
};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/billing/usage/current`. Staff name the customer by `customer_id`; others see their
/// own.
#[utoipa::path(
        get, path = "/api/v1/billing/usage/current", tag = "Usage",
        summary = "Usage of the current period",
        description = "Usage, overage, cost and forecast. Without a subscription `subscription` is null and the period is the calendar month.",
        params(crate::app::calls::parameters::OfCustomer),
        responses((status = 200, description = "The usage; `as_of` is the newest counted event", body = UsageCurrent)),
        extensions(("x-problems" = json!(["not_found", "invalid_parameter"])))
    )]
#[server(name = GetUsageCurrent, prefix = "/api/v1", endpoint = "billing/usage/current", input = GetUrl, output = Json)]
pub async fn usage_current(customer_id: Option<String>) -> Result<UsageCurrent, Problem> {
    let caller = crate::guard::caller(customer_id).await?;
    Ok(crate::service::usage::current(&caller.platform, caller.customer).await?)
}

/// The data of the usage page: the usage, and the alerts if they can be read.
pub async fn usage_with_alerts() -> Result<(UsageCurrent, Option<AlertStanding>), Problem> {
    let caller = crate::guard::caller(None).await?;
    let (usage, alerts) = crate::service::alerts::with_usage(&caller.platform, caller.customer).await?;
    Ok((usage, alerts.ok()))
}

/// `GET /api/v1/billing/usage/history`. An error names the invalid parameter.
#[utoipa::path(
        get, path = "/api/v1/billing/usage/history", tag = "Usage",
        summary = "Usage history",
        description = "Without gaps, in UTC. Hours over at most 93 days, days and months over at most 732.",
        params(crate::domain::usage_history::UsageSpan, crate::app::calls::parameters::OfCustomer),
        responses((status = 200, description = "One series per metric, or per metric and app", body = UsageHistory)),
        extensions(("x-problems" = json!(["not_found", "invalid_parameter"])))
    )]
#[server(name = GetUsageHistory, prefix = "/api/v1", endpoint = "billing/usage/history", input = GetUrl, output = Json)]
pub async fn usage_history(#[server(flatten)] span: UsageSpan, customer_id: Option<String>) -> Result<UsageHistory, Problem> {
    let caller = crate::guard::caller(customer_id).await?;
    Ok(crate::service::usage::history::history(&caller.platform, caller.customer, span).await?)
}
