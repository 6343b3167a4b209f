//! Viewing as a customer: JSON for API clients, and the buttons of the customers' page and of the
//! banner.

use crate::{
    app::local_path::{CUSTOMERS, HOME, staff_path},
    domain::identity::Viewer,
    http::{
        extract::{ByForm, FormOrJson},
        problem::ApiError,
        session,
        state::Server,
    },
    service::{Error, actor::Origin, caller::Staff, users, view_as},
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default().routes(routes!(start)).routes(routes!(stop))
}

/// The customer.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewAs {
    #[schema(value_type = uuid::Uuid)]
    customer_id: String,
    /// Path of the staff page that stopping returns to; the customers' page if absent.
    #[schema(max_length = 2000)]
    next: Option<String>,
}

/// `POST /admin/view-as`: from now on the session's pages, and responses to requests without a
/// customer, are this customer's.
#[utoipa::path(
    post, path = "/api/v1/admin/view-as", tag = "Administration",
    summary = "View as a customer",
    description = "Until it is stopped, or the session ends. Meanwhile nothing of the customer can be changed, unless a request names it by \
                   `customer_id`.",
    request_body(content((ViewAs = "application/json"), (ViewAs = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The signed-in user, and the viewed customer", body = Viewer),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The customer's usage"))),
    ),
    extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "invalid_body", "invalid_json", "invalid_parameter"])))
)]
pub async fn start(
    staff: Result<Staff, ApiError>,
    origin: Origin,
    session: Session,
    ByForm(by_form): ByForm,
    body: Result<FormOrJson<ViewAs>, ApiError>,
) -> Result<Response, ApiError> {
    let staff = match staff {
        // The page shows it.
        Err(ApiError(Error::Forbidden(_) | Error::Unauthenticated)) if by_form => return Ok(Redirect::to(CUSTOMERS).into_response()),
        other => other?,
    };
    let FormOrJson { body: ViewAs { customer_id, next }, .. } = body?;
    let customer = view_as::start(&staff.platform, &staff.principal, &origin, &customer_id).await?;
    let from = next.as_deref().and_then(staff_path);
    session::view_as(&session, customer, from).await?;
    if by_form {
        return Ok(Redirect::to(HOME).into_response());
    }
    Ok(Json(users::viewer(&staff.platform, &staff.principal.viewing_as(Some(customer))).await?).into_response())
}

/// `POST /admin/view-as/stop`.
#[utoipa::path(
    post, path = "/api/v1/admin/view-as/stop", tag = "Administration",
    summary = "Stop viewing as a customer",
    description = "Also succeeds if no customer is viewed.",
    responses(
        (status = 204, description = "Stopped"),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The staff page where it was started"))),
    ),
    extensions(("x-role" = json!("admin")))
)]
pub async fn stop(staff: Staff, origin: Origin, session: Session, ByForm(by_form): ByForm) -> Result<Response, ApiError> {
    view_as::stop(&staff.platform, &staff.principal, &origin).await?;
    let from = session::stop_viewing(&session).await?;
    let next = from.as_deref().and_then(staff_path).unwrap_or(CUSTOMERS);
    Ok(if by_form { Redirect::to(next).into_response() } else { StatusCode::NO_CONTENT.into_response() })
}
