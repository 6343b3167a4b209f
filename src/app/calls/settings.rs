//! Settings that a customer manages. `api::settings` changes them.

use super::Problem;
use crate::domain::{
    alert::{AlertSettings, AlertStanding, FiredAlerts},
    settings::CustomerSettings,
};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/billing/alerts`. Staff name the customer by `customer_id`; others see their own.
#[utoipa::path(
        get, path = "/api/v1/billing/alerts", tag = "Alerts",
        summary = "Alert settings",
        params(crate::app::calls::parameters::OfCustomer),
        responses((status = 200, description = "All settings", body = AlertSettings)),
        extensions(("x-problems" = json!(["not_found", "invalid_parameter"])))
    )]
#[server(name = GetAlerts, prefix = "/api/v1", endpoint = "billing/alerts", input = GetUrl, output = Json)]
pub async fn alerts(customer_id: Option<String>) -> Result<AlertSettings, Problem> {
    let caller = crate::guard::caller(customer_id).await?;
    Ok(crate::service::alerts::settings(&caller.platform, caller.customer).await?)
}

/// `GET /api/v1/billing/alerts/fired`: alerts of the current period.
#[utoipa::path(
        get, path = "/api/v1/billing/alerts/fired", tag = "Alerts",
        summary = "Alerts of the current period",
        params(crate::app::calls::parameters::OfCustomer),
        responses((status = 200, description = "Newest first", body = FiredAlerts)),
        extensions(("x-problems" = json!(["not_found", "invalid_parameter"])))
    )]
#[server(name = GetFiredAlerts, prefix = "/api/v1", endpoint = "billing/alerts/fired", input = GetUrl, output = Json)]
pub async fn fired_alerts(customer_id: Option<String>) -> Result<FiredAlerts, Problem> {
    let caller = crate::guard::caller(customer_id).await?;
    Ok(crate::service::alerts::fired(&caller.platform, caller.customer).await?)
}

/// `GET /api/v1/billing/alerts/standing`: alerts and caps of the usage page.
#[utoipa::path(
        get, path = "/api/v1/billing/alerts/standing", tag = "Alerts",
        summary = "Alert settings, with the alerts of the current period",
        params(crate::app::calls::parameters::OfCustomer),
        responses((status = 200, description = "The settings and the alerts", body = AlertStanding)),
        extensions(("x-problems" = json!(["not_found", "invalid_parameter"])))
    )]
#[server(name = GetAlertStanding, prefix = "/api/v1", endpoint = "billing/alerts/standing", input = GetUrl, output = Json)]
pub async fn alert_standing(customer_id: Option<String>) -> Result<AlertStanding, Problem> {
    let caller = crate::guard::caller(customer_id).await?;
    Ok(crate::service::alerts::standing(&caller.platform, caller.customer).await?)
}

/// `GET /api/v1/billing/settings`: the data of the settings page.
#[utoipa::path(
        get, path = "/api/v1/billing/settings", tag = "Settings",
        summary = "The data of the settings page",
        params(crate::app::calls::parameters::OfCustomer),
        responses((status = 200, description = "The settings that the user may see", body = CustomerSettings)),
        extensions(("x-problems" = json!(["not_found", "invalid_parameter"])))
    )]
#[server(name = GetSettings, prefix = "/api/v1", endpoint = "billing/settings", input = GetUrl, output = Json)]
pub async fn settings(customer_id: Option<String>) -> Result<CustomerSettings, Problem> {
    let caller = crate::guard::caller(customer_id.clone()).await?;
    let manages = crate::guard::may_change(&caller.principal, customer_id.as_deref());
    Ok(crate::service::settings::all(&caller.platform, caller.customer, manages).await?)
}
