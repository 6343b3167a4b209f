//! `POST /billing/portal`: API clients get the URL, the page's form is redirected to it.

use crate::{
    app::local_path::INVOICES,
    http::{
        extract::{ByForm, Changer},
        idempotency::{Keys, Sender, once},
        problem::ApiError,
        state::Server,
    },
    service::{actor::Origin, portal},
};
use axum::{
    Json,
    response::{IntoResponse, Redirect, Response},
};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default().routes(routes!(open).layer(once(Keys::Optional, Sender::Changer)))
}

/// Opens Stripe's customer portal. On an error, a form is redirected to its page, which shows the
/// reason.
#[utoipa::path(
    post, path = "/api/v1/billing/portal", tag = "Settings",
    summary = "Open Stripe's customer portal",
    params(crate::app::calls::parameters::OfCustomer),
    responses(
        (status = 200, description = "The portal's URL", body = portal::Portal),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The portal, or the page with the reason of the error"))),
    ),
    extensions(("x-role" = json!("publisher")), ("x-idempotency-key" = json!("optional")), ("x-problems" = json!([
        "viewing_as", "customer_portal_disabled", "not_found", "bad_request", "no_stripe_customer", "invalid_parameter", "stripe_not_configured", "stripe_unavailable", "stripe_refused",
    ])))
)]
pub async fn open(Changer(caller): Changer, origin: Origin, ByForm(by_form): ByForm) -> Result<Response, ApiError> {
    let opened = portal::open(&caller.platform, &caller.principal, caller.customer, &origin, INVOICES).await;
    if !by_form {
        return Ok(Json(opened?).into_response());
    }
    match opened {
        Ok(portal) => Ok(Redirect::to(&portal.url).into_response()),
        Err(error) if error.status() >= 500 || error.status() == 409 => {
            Ok(Redirect::to(&format!("{INVOICES}?portal={}", error.code())).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
