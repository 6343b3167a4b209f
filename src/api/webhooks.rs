//! `POST /webhooks/stripe`, and staff's replays of one event or of all failed ones.

use crate::{
    app::local_path::percent_encode,
    domain::{
        error_code::ErrorCode,
        webhook::{WebhookDetail, WebhookReplays},
    },
    http::{
        extract::{ByForm, Path},
        idempotency::{Keys, Sender, once},
        problem::ApiError,
        state::Server,
    },
    service::{self, Error, actor::By, caller::Staff, webhooks::Receipt},
};
use axum::{
    Json,
    body::{Body, to_bytes},
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use http_body_util::LengthLimitError;
use serde_json::Value;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default()
        .routes(routes!(stripe))
        .routes(routes!(show))
        .routes(routes!(replay).layer(once(Keys::Optional, Sender::Staff)))
        .routes(routes!(replay_failed).layer(once(Keys::Optional, Sender::Staff)))
}

/// Maximum number of events that one request replays; repeat the request for the rest.
const MOST_REPLAYS: u32 = 200;

/// One of Stripe's event objects, up to 1 MiB.
#[derive(utoipa::ToSchema)]
#[schema(value_type = Object, example = json!({
    "id": "evt_1QxYz", "object": "event", "type": "invoice.paid", "created": 1795362600, "data": {"object": {"id": "in_1QxYz", "object": "invoice"}}
}))]
pub struct StripeEvent(pub Value);

/// Receives a signed event.
#[utoipa::path(
    post, path = "/api/v1/webhooks/stripe", tag = "Webhooks", security(()),
    summary = "Receive a Stripe event",
    description = "The response follows the commit. The signature is HMAC-SHA256 over `t.body`; its time may differ by 300 s.",
    params(("Stripe-Signature" = String, Header, description = "`t=SECONDS,v1=HEX`", example = "t=1795362600,v1=5257a8")),
    request_body(content = StripeEvent),
    responses((status = 200, description = "Stored; a duplicate is not applied again", body = Receipt)),
    extensions(("x-problems" = json!(["bad_request", "signature_missing", "signature_stale", "signature_invalid"])))
)]
pub async fn stripe(State(server): State<Server>, headers: HeaderMap, body: Body) -> Result<Json<Receipt>, ApiError> {
    let limit = server.platform.config.file.limits.webhook_body_bytes;
    let body = to_bytes(body, limit).await.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            Error::TooLarge { limit }
        } else {
            Error::refused(ErrorCode::BadRequest, "The body ended early. The event was not stored. Send it again.")
        }
    })?;
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    Ok(Json(service::webhooks::receive(&server.platform, signature, &body).await?))
}

/// `GET /admin/webhooks/{id}`.
#[utoipa::path(
    get, path = "/api/v1/admin/webhooks/{id}", tag = "Webhooks",
    summary = "One event",
    params(("id" = String, Path, description = "Stripe's id of the event", example = "evt_1QxYz")),
    responses((status = 200, description = "The event with its payload", body = WebhookDetail)),
    extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "bad_request"])))
)]
pub async fn show(staff: Staff, Path(id): Path<String>) -> Result<Json<WebhookDetail>, ApiError> {
    Ok(Json(service::webhooks::show(&staff.platform, &id).await?))
}

/// `POST /admin/webhooks/{id}/replay`: returns the result; the page's form is redirected to the
/// event.
#[utoipa::path(
    post, path = "/api/v1/admin/webhooks/{id}/replay", tag = "Webhooks",
    summary = "Apply an event again",
    params(("id" = String, Path, description = "Stripe's id of the event", example = "evt_1QxYz")),
    responses(
        (status = 200, description = "The result", body = crate::domain::webhook::WebhookReplay),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The event's page"))),
    ),
    extensions(("x-role" = json!("admin")), ("x-idempotency-key" = json!("optional")), ("x-problems" = json!(["not_found", "bad_request"])))
)]
pub async fn replay(staff: Staff, by: By, ByForm(by_form): ByForm, Path(id): Path<String>) -> Result<Response, ApiError> {
    let replay = service::webhooks::replay(&staff.platform, &by, &id).await;
    Ok(match replay {
        // The page shows it.
        Err(Error::NotFound(_)) if by_form => Redirect::to(&format!("/admin/webhooks/{}", percent_encode(&id))).into_response(),
        Ok(replay) if by_form => {
            Redirect::to(&format!("/admin/webhooks/{}?replayed={}", percent_encode(&replay.id), replay.status)).into_response()
        }
        other => Json(other?).into_response(),
    })
}

/// `POST /admin/webhooks/replay`: replays failed events, a limited number per request; the page's
/// form is redirected to the list.
#[utoipa::path(
    post, path = "/api/v1/admin/webhooks/replay", tag = "Webhooks",
    summary = "Replay failed events",
    description = "At most 200 events per request; `left` is the number of remaining ones.",
    responses(
        (status = 200, description = "The result", body = WebhookReplays),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The inbox"))),
    ),
    extensions(("x-role" = json!("admin")), ("x-idempotency-key" = json!("optional")))
)]
pub async fn replay_failed(staff: Staff, by: By, ByForm(by_form): ByForm) -> Result<Response, ApiError> {
    let replays = service::webhooks::replay_failed(&staff.platform, &by, MOST_REPLAYS).await?;
    Ok(if by_form {
        let WebhookReplays { replayed, still_failing, .. } = replays;
        Redirect::to(&format!("/admin/webhooks?replayed={replayed}&failing={still_failing}")).into_response()
    } else {
        Json(replays).into_response()
    })
}
