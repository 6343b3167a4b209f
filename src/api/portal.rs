//! `POST /billing/portal`: programs are told the address, the page's form is led to it.

use crate::{
    app::local_path::INVOICES,
    guard,
    http::{
        problem::ApiError,
        request::{is_form, origin_of},
        state::Server,
    },
    service::{Error, customers, portal},
};
use axum::{
    Json,
    extract::{ConnectInfo, Query, Request, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use std::net::SocketAddr;

#[derive(Deserialize)]
pub struct Whose {
    customer_id: Option<String>,
}

/// Opens Stripe's customer portal. A form that can't be served is led back to its page, which says why.
#[utoipa::path(
    post, path = "/api/v1/billing/portal", tag = "Settings",
    summary = "Open Stripe's customer portal",
    params(crate::app::calls::parameters::OfCustomer),
    responses(
        (status = 200, description = "Where to go", body = portal::Portal),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The portal, or the page that says why not"))),
    ),
    extensions(("x-role" = json!("publisher")), ("x-idempotency-key" = json!("optional")), ("x-problems" = json!([
        "viewing_as", "customer_portal_disabled", "not_found", "bad_request", "no_stripe_customer", "invalid_parameter", "stripe_not_configured", "stripe_unavailable", "stripe_refused",
    ])))
)]
pub async fn open(State(server): State<Server>, Query(whose): Query<Whose>, request: Request) -> Result<Response, ApiError> {
    let origin = origin_of(request.headers(), request.extensions().get::<ConnectInfo<SocketAddr>>());
    let reader = guard::reader_of(server.platform, request.extensions())?;
    if reader.principal.role().manages() && !guard::may_change(&reader.principal, whose.customer_id.as_deref()) {
        return Err(Error::ViewingAs.into());
    }
    let customer = customers::customer_of(&reader.platform, &reader.principal, whose.customer_id.as_deref()).await?;
    let opened = portal::open(&reader.platform, &reader.principal, customer, &origin, INVOICES).await;
    if !is_form(request.headers()) {
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
