//! Viewing as a customer: for programs with JSON, for people by the buttons of the customers' page and of the banner.

use crate::{
    app::local_path::{CUSTOMERS, HOME},
    domain::identity::Viewer,
    guard,
    http::{
        problem::ApiError,
        request::{is_form, origin, read, unreadable},
        session,
        state::Server,
    },
    service::{Error, users, view_as},
};
use axum::{
    Form, Json,
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

/// As whom.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewAs {
    #[schema(value_type = uuid::Uuid)]
    customer_id: String,
}

/// `POST /admin/view-as`: from now on the session's pages, and answers that name no customer, are this customer's.
#[utoipa::path(
    post, path = "/api/v1/admin/view-as", tag = "Administration",
    summary = "View as a customer",
    description = "Until it is stopped, or the session ends. Meanwhile nothing of the customer can be changed, unless a request names it by \
                   `customer_id`.",
    request_body(content((ViewAs = "application/json"), (ViewAs = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "Who is signed in, and the customer whose data it sees", body = Viewer),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The customer's usage"))),
    ),
    extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "invalid_body", "invalid_json", "invalid_parameter"])))
)]
pub async fn start(State(server): State<Server>, session: Session, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let is_form = is_form(&parts.headers);
    let staff = match guard::staff_of(server.platform, &parts.extensions) {
        // The page says so by itself.
        Err(Error::Forbidden(_) | Error::Unauthenticated) if is_form => return Ok(Redirect::to(CUSTOMERS).into_response()),
        other => other?,
    };
    let request = Request::from_parts(parts.clone(), body);
    let ViewAs { customer_id } = if is_form {
        Form::<ViewAs>::from_request(request, &()).await.map_err(|error| unreadable(error.status(), error.body_text()))?.0
    } else {
        let body = Bytes::from_request(request, &()).await.map_err(|error| unreadable(error.status(), error.body_text()))?;
        read(&parts, &body)?
    };
    let customer = view_as::start(&staff.platform, &staff.principal, &origin(&parts), &customer_id).await?;
    session::view_as(&session, Some(customer)).await?;
    if is_form {
        return Ok(Redirect::to(HOME).into_response());
    }
    Ok(Json(users::viewer(&staff.platform, &staff.principal.viewing_as(Some(customer))).await?).into_response())
}

/// `POST /admin/view-as/stop`.
#[utoipa::path(
    post, path = "/api/v1/admin/view-as/stop", tag = "Administration",
    summary = "No longer view as a customer",
    description = "Nobody viewed as is fine too.",
    responses(
        (status = 204, description = "Stopped"),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The customers' page"))),
    ),
    extensions(("x-role" = json!("admin")))
)]
pub async fn stop(State(server): State<Server>, session: Session, parts: Parts) -> Result<Response, ApiError> {
    let staff = guard::staff_of(server.platform, &parts.extensions)?;
    view_as::stop(&staff.platform, &staff.principal, &origin(&parts)).await?;
    session::view_as(&session, None).await?;
    Ok(if is_form(&parts.headers) { Redirect::to(CUSTOMERS).into_response() } else { StatusCode::NO_CONTENT.into_response() })
}
