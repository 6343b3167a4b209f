//! The webhook inbox, for staff.

use super::Problem;
use crate::domain::{
    list::{ListQuery, WebhookFilter},
    webhook::{WebhookDetail, WebhookPage},
};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/admin/webhooks`. An error names the invalid parameter.
#[utoipa::path(
        get, path = "/api/v1/admin/webhooks", tag = "Webhooks",
        summary = "Stripe's events, newest first",
        params(crate::domain::list::WebhookFilter, crate::domain::list::Paging),
        responses((status = 200, description = "A page of the inbox", body = WebhookPage)),
        extensions(("x-role" = json!("admin")), ("x-problems" = json!(["invalid_parameter"])))
    )]
#[server(name = GetWebhooks, prefix = "/api/v1", endpoint = "admin/webhooks", input = GetUrl, output = Json)]
pub async fn webhooks(#[server(flatten)] query: ListQuery<WebhookFilter>) -> Result<WebhookPage, Problem> {
    let staff = crate::guard::staff().await?;
    Ok(crate::service::webhooks::list(&staff.platform, query).await?)
}

/// An event for its page. API clients use `GET /api/v1/admin/webhooks/{id}` with the same use case.
#[utoipa::path(
        get, path = "/api/v1/admin/webhook", tag = "Webhooks",
        summary = "One event, for its page",
        description = "The same as `GET /api/v1/admin/webhooks/{id}`, which API clients use.",
        params(("id" = String, Query, description = "Stripe's id of the event", example = "evt_1QxYz")),
        responses((status = 200, description = "The event with its payload", body = WebhookDetail)),
        extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "invalid_parameter"])))
    )]
#[server(name = GetWebhook, prefix = "/api/v1", endpoint = "admin/webhook", input = GetUrl, output = Json)]
pub async fn webhook(id: String) -> Result<WebhookDetail, Problem> {
    let staff = crate::guard::staff().await?;
    Ok(crate::service::webhooks::show(&staff.platform, &id).await?)
}
