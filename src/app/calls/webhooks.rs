//! The webhook inbox, for staff.

use super::Problem;
use crate::domain::webhook::{WebhookDetail, WebhookPage};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/admin/webhooks`. Every parameter arrives as text, so that a wrong one can be named in the answer.
#[server(name = GetWebhooks, prefix = "/api/v1", endpoint = "admin/webhooks", input = GetUrl, output = Json)]
pub async fn webhooks(
    status: Option<String>,
    #[server(rename = "type")] event_type: Option<String>,
    q: Option<String>,
    page: Option<String>,
    limit: Option<String>,
) -> Result<WebhookPage, Problem> {
    let staff = crate::auth::guard::staff().await?;
    Ok(crate::service::webhooks::list(&staff.platform, crate::service::webhooks::Query { status, event_type, q, page, limit }).await?)
}

/// One event for its page. Programs use `GET /api/v1/admin/webhooks/{id}`, the same use case.
#[server(name = GetWebhook, prefix = "/api/v1", endpoint = "admin/webhook", input = GetUrl, output = Json)]
pub async fn webhook(id: String) -> Result<WebhookDetail, Problem> {
    let staff = crate::auth::guard::staff().await?;
    Ok(crate::service::webhooks::show(&staff.platform, &id).await?)
}
