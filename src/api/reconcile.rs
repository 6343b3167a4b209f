//! `POST /billing/reconcile`, and staff's operations on runs: start, cancel, repair. The page's
//! forms are redirected to the run.

use crate::{
    app::local_path::{RECONCILIATION, percent_encode},
    domain::{
        error_code::ErrorCode,
        list::{DiscrepancyFilter, ListQuery, Paging},
        reconcile::{FoundDiscrepancy, Reconciliation, ReconciliationDetail, ReconciliationSummary, Repair},
    },
    http::{
        extract::{ByForm, JsonBody, Path, Query},
        idempotency::{Keys, RequestKey, Sender, once},
        problem::ApiError,
        request::is_form,
        state::Server,
    },
    service::{
        Error,
        actor::By,
        caller::Staff,
        reconcile::{self, Asked},
    },
};
use axum::{
    Extension, Form, Json,
    extract::{FromRequest, OptionalFromRequest, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};
use uuid::Uuid;

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default()
        .routes(routes!(reconcile).layer(once(Keys::Required, Sender::Staff)))
        .routes(routes!(start).layer(once(Keys::Optional, Sender::Staff)))
        .routes(routes!(detail))
        .routes(routes!(cancel))
        .routes(routes!(repair_all).layer(once(Keys::Optional, Sender::Staff)))
        .routes(routes!(repair))
}

/// `POST /billing/reconcile`: responds when everything is compared. An empty body compares
/// everything.
#[utoipa::path(
    post, path = "/api/v1/billing/reconcile", tag = "Administration",
    summary = "Reconcile with Stripe and wait for the result",
    description = "Repeating the key and body returns the saved response, byte for byte. Keys expire after 24 hours.",
    request_body(content = Option<Asked>),
    responses((status = 200, description = "The compared objects and the discrepancies", body = Reconciliation)),
    extensions(("x-role" = json!("admin")), ("x-idempotency-key" = json!("required")), ("x-problems" = json!(["not_found", "bad_request", "invalid_json", "invalid_body", "invalid_parameter", "reconciliation_running", "reconciliation_cancelled", "stripe_not_configured", "stripe_unavailable", "stripe_refused", "reconciliation_failed"])))
)]
pub async fn reconcile(
    staff: Staff,
    by: By,
    key: Option<Extension<RequestKey>>,
    body: Option<JsonBody<Asked>>,
) -> Result<Json<Reconciliation>, ApiError> {
    let asked = body.map(|JsonBody(asked)| asked).unwrap_or_default();
    let request = key.map(|Extension(key)| key.0);
    Ok(Json(reconcile::reconcile(&staff.platform, &by, &asked, request).await?))
}

/// The page's form: an unchecked box is not sent.
#[derive(Deserialize)]
struct AskedByForm {
    customer_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    repair: Option<String>,
}

/// What is asked for, by the page's form or by a program. A program's empty body asks for
/// everything.
pub struct Begin {
    asked: Asked,
    by_form: bool,
}

impl FromRequest<Server> for Begin {
    type Rejection = ApiError;

    async fn from_request(request: Request, server: &Server) -> Result<Begin, ApiError> {
        if !is_form(request.headers()) {
            let body = <JsonBody<Asked> as OptionalFromRequest<Server>>::from_request(request, server).await?;
            return Ok(Begin { asked: body.map(|JsonBody(asked)| asked).unwrap_or_default(), by_form: false });
        }
        let form = Form::<AskedByForm>::from_request(request, server).await;
        let Form(form) = form.map_err(|rejection| Error::refused(ErrorCode::InvalidBody, rejection.body_text()))?;
        let asked = Asked { customer_id: form.customer_id, from: form.from, to: form.to, repair: form.repair.is_some() };
        Ok(Begin { asked, by_form: true })
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Started {
    reconciliation_id: Uuid,
}

/// `POST /admin/reconciliations`: starts a run and returns at once.
#[utoipa::path(
    post, path = "/api/v1/admin/reconciliations", tag = "Administration",
    summary = "Start a reconciliation",
    request_body(content = Option<Asked>),
    responses(
        (status = 202, description = "It runs", body = Started, headers(("Location" = String, description = "The run's URL"))),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The run's page"))),
    ),
    extensions(("x-role" = json!("admin")), ("x-idempotency-key" = json!("optional")), ("x-problems" = json!(["not_found", "bad_request", "invalid_json", "invalid_body", "invalid_parameter", "reconciliation_running", "reconciliation_cancelled", "stripe_not_configured", "stripe_unavailable", "stripe_refused", "reconciliation_failed"])))
)]
pub async fn start(staff: Staff, by: By, Begin { asked, by_form }: Begin) -> Result<Response, ApiError> {
    if !by_form {
        let reconciliation_id = reconcile::start(&staff.platform, &by, &asked).await?;
        let at = format!("/api/v1/admin/reconciliations/{reconciliation_id}");
        return Ok((StatusCode::ACCEPTED, [(header::LOCATION, at)], Json(Started { reconciliation_id })).into_response());
    }
    Ok(match reconcile::start(&staff.platform, &by, &asked).await {
        Ok(id) => Redirect::to(&format!("{RECONCILIATION}/{id}")),
        // The page shows it.
        Err(error @ (Error::Invalid { .. } | Error::Refused { .. } | Error::StripeNotConfigured)) => {
            let field = if let Error::Invalid { parameter, .. } = &error { parameter.as_ref() } else { "" };
            Redirect::to(&format!("{RECONCILIATION}?error={}&field={}", error.code(), percent_encode(field)))
        }
        Err(error) => return Err(error.into()),
    }
    .into_response())
}

/// `GET /admin/reconciliations/{id}`.
#[utoipa::path(
    get, path = "/api/v1/admin/reconciliations/{id}", tag = "Administration",
    summary = "One run",
    params(("id" = String, Path, description = "The run's id"), DiscrepancyFilter, Paging),
    responses((status = 200, description = "The run with a page of its discrepancies", body = ReconciliationDetail)),
    extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "bad_request", "invalid_parameter"])))
)]
pub async fn detail(
    staff: Staff,
    Path(id): Path<String>,
    Query(query): Query<ListQuery<DiscrepancyFilter>>,
) -> Result<Json<ReconciliationDetail>, ApiError> {
    Ok(Json(reconcile::detail(&staff.platform, &id, query).await?))
}

/// `POST /admin/reconciliations/{id}/cancel`.
#[utoipa::path(
    post, path = "/api/v1/admin/reconciliations/{id}/cancel", tag = "Administration",
    summary = "Cancel a run",
    params(("id" = String, Path, description = "The run's id")),
    responses(
        (status = 200, description = "The result", body = ReconciliationSummary),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The run's page"))),
    ),
    extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "bad_request", "invalid_json", "invalid_body", "invalid_parameter", "reconciliation_running", "reconciliation_cancelled", "stripe_not_configured", "stripe_unavailable", "stripe_refused", "reconciliation_failed"])))
)]
pub async fn cancel(staff: Staff, by: By, ByForm(by_form): ByForm, Path(id): Path<String>) -> Result<Response, ApiError> {
    let cancelled: Result<ReconciliationSummary, Error> = reconcile::cancel(&staff.platform, &by, &id).await;
    answer(by_form, &id, "", cancelled)
}

/// `POST /admin/reconciliations/{id}/repair`: repairs open discrepancies, a limited number per
/// request.
#[utoipa::path(
    post, path = "/api/v1/admin/reconciliations/{id}/repair", tag = "Administration",
    summary = "Repair a run's discrepancies",
    params(("id" = String, Path, description = "The run's id")),
    responses(
        (status = 200, description = "The result", body = Repair),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The run's page"))),
    ),
    extensions(("x-role" = json!("admin")), ("x-idempotency-key" = json!("optional")), ("x-problems" = json!(["not_found", "bad_request", "invalid_json", "invalid_body", "invalid_parameter", "reconciliation_running", "reconciliation_cancelled", "stripe_not_configured", "stripe_unavailable", "stripe_refused", "reconciliation_failed"])))
)]
pub async fn repair_all(staff: Staff, by: By, ByForm(by_form): ByForm, Path(id): Path<String>) -> Result<Response, ApiError> {
    let repair: Result<Repair, Error> = reconcile::repair_all(&staff.platform, &by, &id).await;
    let query = repair.as_ref().map(|Repair { repaired, failed, left }| format!("?repaired={repaired}&failed={failed}&left={left}"));
    answer(by_form, &id, &query.unwrap_or_default(), repair)
}

/// `POST /admin/reconciliations/{id}/discrepancies/{discrepancy}/repair`.
#[utoipa::path(
    post, path = "/api/v1/admin/reconciliations/{id}/discrepancies/{discrepancy}/repair", tag = "Administration",
    summary = "Repair one discrepancy",
    params(("id" = String, Path, description = "The run's id"), ("discrepancy" = i64, Path, description = "The discrepancy's id")),
    responses(
        (status = 200, description = "The result", body = FoundDiscrepancy),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The run's page"))),
    ),
    extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "bad_request", "invalid_json", "invalid_body", "invalid_parameter", "reconciliation_running", "reconciliation_cancelled", "stripe_not_configured", "stripe_unavailable", "stripe_refused", "reconciliation_failed"])))
)]
pub async fn repair(
    staff: Staff,
    by: By,
    ByForm(by_form): ByForm,
    Path((id, discrepancy)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let number = discrepancy.parse::<i64>().map_err(|_| Error::NotFound("discrepancy"))?;
    let found: Result<FoundDiscrepancy, Error> = reconcile::repair(&staff.platform, &by, &id, number).await;
    let query = found.as_ref().map(|found| {
        let (repaired, failed) = if found.repaired_at.is_some() { (1, 0) } else { (0, 1) };
        format!("?repaired={repaired}&failed={failed}&left=0")
    });
    answer(by_form, &id, &query.unwrap_or_default(), found)
}

/// The page's form is redirected to the run; an API client gets the result.
fn answer<T: Serialize>(by_form: bool, id: &str, query: &str, done: Result<T, Error>) -> Result<Response, ApiError> {
    if !by_form {
        return Ok(Json(done?).into_response());
    }
    let at = format!("{RECONCILIATION}/{}", percent_encode(id));
    match done {
        Ok(_) => Ok(Redirect::to(&format!("{at}{query}")).into_response()),
        Err(error @ (Error::StripeNotConfigured | Error::StripeUnavailable(_) | Error::StripeRefused(_) | Error::NotFound(_))) => {
            Ok(Redirect::to(&format!("{at}?error={}", error.code())).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
