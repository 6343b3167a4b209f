//! `POST /billing/reconcile`, and what staff does with runs: begin, end early, repair. The page's forms are led back to the run.

use crate::{
    app::local_path::percent_encode,
    domain::{
        csv::BYTE_ORDER_MARK,
        error_code::ErrorCode,
        reconcile::{FoundDiscrepancy, Reconciliation, ReconciliationDetail, ReconciliationSummary, Repair},
    },
    guard,
    http::{
        idempotency::RequestKey,
        problem::ApiError,
        request::{by, is_form, unreadable},
        state::Server,
    },
    service::{
        Error,
        reconcile::{self, Asked},
    },
};
use axum::{
    Form, Json,
    body::Bytes,
    extract::{FromRequest, Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Address of the page of all runs.
const PAGE: &str = "/admin/reconciliation";

/// `POST /billing/reconcile`: answers when everything is compared. An empty body asks for everything.
#[utoipa::path(
    post, path = "/api/v1/billing/reconcile", tag = "Administration",
    summary = "Compare everything with Stripe, and wait for it",
    description = "The same key and body again answers what was saved, byte for byte. Keys are kept for 24 hours.",
    request_body(content = Option<Asked>),
    responses((status = 200, description = "What was compared and found", body = Reconciliation)),
    extensions(("x-role" = json!("admin")), ("x-idempotency-key" = json!("required")), ("x-problems" = json!(["not_found", "bad_request", "invalid_json", "invalid_body", "invalid_parameter", "reconciliation_running", "reconciliation_cancelled", "stripe_not_configured", "stripe_unavailable", "stripe_refused", "reconciliation_failed"])))
)]
pub async fn reconcile(State(server): State<Server>, parts: Parts, body: Bytes) -> Result<Json<Reconciliation>, ApiError> {
    let staff = guard::staff_of(server.platform, &parts.extensions)?;
    let asked = read(&parts.headers, &body)?;
    let request = parts.extensions.get::<RequestKey>().map(|key| key.0);
    Ok(Json(reconcile::reconcile(&staff.platform, &by(&staff.principal, &parts), &asked, request).await?))
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<Asked, Error> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Asked::default());
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Error::UnsupportedMediaType("application/json"));
    }
    // As for usage events, a byte order mark is no part of the text.
    let body = body.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(body);
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            Error::invalid("body", error.to_string())
        } else {
            Error::refused(ErrorCode::InvalidJson, format!("The body is not JSON: {error}. Nothing was done."))
        }
    })
}

/// The page's form: a box that is not ticked is not sent.
#[derive(Deserialize)]
struct AskedByForm {
    customer_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    repair: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Started {
    reconciliation_id: Uuid,
}

/// `POST /admin/reconciliations`: begins a run and does not wait for it.
#[utoipa::path(
    post, path = "/api/v1/admin/reconciliations", tag = "Administration",
    summary = "Begin a comparison with Stripe",
    request_body(content = Option<Asked>),
    responses(
        (status = 202, description = "It runs", body = Started, headers(("Location" = String, description = "Where the run is shown"))),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The run's page"))),
    ),
    extensions(("x-role" = json!("admin")), ("x-idempotency-key" = json!("optional")), ("x-problems" = json!(["not_found", "bad_request", "invalid_json", "invalid_body", "invalid_parameter", "reconciliation_running", "reconciliation_cancelled", "stripe_not_configured", "stripe_unavailable", "stripe_refused", "reconciliation_failed"])))
)]
pub async fn start(State(server): State<Server>, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let staff = guard::staff_of(server.platform, &parts.extensions)?;
    let by = by(&staff.principal, &parts);
    if !is_form(&parts.headers) {
        let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &())
            .await
            .map_err(|rejection| unreadable(rejection.status(), "the body can't be read".into()))?;
        let asked = read(&parts.headers, &body)?;
        let reconciliation_id = reconcile::start(&staff.platform, &by, &asked).await?;
        let at = format!("/api/v1/admin/reconciliations/{reconciliation_id}");
        return Ok((StatusCode::ACCEPTED, [(header::LOCATION, at)], Json(Started { reconciliation_id })).into_response());
    }
    let Form(form) = Form::<AskedByForm>::from_request(Request::from_parts(parts, body), &())
        .await
        .map_err(|error| Error::Refused { code: ErrorCode::InvalidBody, detail: error.body_text() })?;
    let asked = Asked { customer_id: form.customer_id, from: form.from, to: form.to, repair: form.repair.is_some() };
    Ok(match reconcile::start(&staff.platform, &by, &asked).await {
        Ok(id) => Redirect::to(&format!("{PAGE}/{id}")),
        // The page says it to a person.
        Err(error @ (Error::Invalid { .. } | Error::Refused { .. } | Error::StripeNotConfigured)) => {
            let field = if let Error::Invalid { parameter, .. } = &error { parameter.as_ref() } else { "" };
            Redirect::to(&format!("{PAGE}?error={}&field={}", error.code(), percent_encode(field)))
        }
        Err(error) => return Err(error.into()),
    }
    .into_response())
}

/// How a run's discrepancies are narrowed and paged.
#[derive(Deserialize)]
pub struct Shown {
    kind: Option<String>,
    page: Option<String>,
    limit: Option<String>,
}

/// `GET /admin/reconciliations/{id}`.
#[utoipa::path(
    get, path = "/api/v1/admin/reconciliations/{id}", tag = "Administration",
    summary = "One run",
    params(("id" = String, Path, description = "The run's id"), crate::app::calls::parameters::DiscrepancyFilter, crate::app::calls::parameters::Paging),
    responses((status = 200, description = "The run with a page of its discrepancies", body = ReconciliationDetail)),
    extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "bad_request", "invalid_parameter"])))
)]
pub async fn detail(
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(shown): Query<Shown>,
    parts: Parts,
) -> Result<Json<ReconciliationDetail>, ApiError> {
    let staff = guard::staff_of(server.platform, &parts.extensions)?;
    Ok(Json(reconcile::detail(&staff.platform, &id, shown.kind, shown.page, shown.limit).await?))
}

/// `POST /admin/reconciliations/{id}/cancel`.
#[utoipa::path(
    post, path = "/api/v1/admin/reconciliations/{id}/cancel", tag = "Administration",
    summary = "End a run early",
    params(("id" = String, Path, description = "The run's id")),
    responses(
        (status = 200, description = "What it came to", body = ReconciliationSummary),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The run's page"))),
    ),
    extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "bad_request", "invalid_json", "invalid_body", "invalid_parameter", "reconciliation_running", "reconciliation_cancelled", "stripe_not_configured", "stripe_unavailable", "stripe_refused", "reconciliation_failed"])))
)]
pub async fn cancel(State(server): State<Server>, Path(id): Path<String>, parts: Parts) -> Result<Response, ApiError> {
    let staff = guard::staff_of(server.platform, &parts.extensions)?;
    let cancelled: Result<ReconciliationSummary, Error> = reconcile::cancel(&staff.platform, &by(&staff.principal, &parts), &id).await;
    answer(&parts, &id, "", cancelled)
}

/// `POST /admin/reconciliations/{id}/repair`: what is not repaired yet, a bounded number at a time.
#[utoipa::path(
    post, path = "/api/v1/admin/reconciliations/{id}/repair", tag = "Administration",
    summary = "Repair what a run found",
    params(("id" = String, Path, description = "The run's id")),
    responses(
        (status = 200, description = "What it came to", body = Repair),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The run's page"))),
    ),
    extensions(("x-role" = json!("admin")), ("x-idempotency-key" = json!("optional")), ("x-problems" = json!(["not_found", "bad_request", "invalid_json", "invalid_body", "invalid_parameter", "reconciliation_running", "reconciliation_cancelled", "stripe_not_configured", "stripe_unavailable", "stripe_refused", "reconciliation_failed"])))
)]
pub async fn repair_all(State(server): State<Server>, Path(id): Path<String>, parts: Parts) -> Result<Response, ApiError> {
    let staff = guard::staff_of(server.platform, &parts.extensions)?;
    let repair: Result<Repair, Error> = reconcile::repair_all(&staff.platform, &by(&staff.principal, &parts), &id).await;
    let told = repair.as_ref().map(|Repair { repaired, failed, left }| format!("?repaired={repaired}&failed={failed}&left={left}"));
    answer(&parts, &id, &told.unwrap_or_default(), repair)
}

/// `POST /admin/reconciliations/{id}/discrepancies/{discrepancy}/repair`.
#[utoipa::path(
    post, path = "/api/v1/admin/reconciliations/{id}/discrepancies/{discrepancy}/repair", tag = "Administration",
    summary = "Repair one discrepancy",
    params(("id" = String, Path, description = "The run's id"), ("discrepancy" = i64, Path, description = "The discrepancy's id")),
    responses(
        (status = 200, description = "What it came to", body = FoundDiscrepancy),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The run's page"))),
    ),
    extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "bad_request", "invalid_json", "invalid_body", "invalid_parameter", "reconciliation_running", "reconciliation_cancelled", "stripe_not_configured", "stripe_unavailable", "stripe_refused", "reconciliation_failed"])))
)]
pub async fn repair(
    State(server): State<Server>,
    Path((id, discrepancy)): Path<(String, String)>,
    parts: Parts,
) -> Result<Response, ApiError> {
    let staff = guard::staff_of(server.platform, &parts.extensions)?;
    let number = discrepancy.parse::<i64>().map_err(|_| Error::NotFound("discrepancy"))?;
    let found: Result<FoundDiscrepancy, Error> = reconcile::repair(&staff.platform, &by(&staff.principal, &parts), &id, number).await;
    let told = found.as_ref().map(|found| {
        let (repaired, failed) = if found.repaired_at.is_some() { (1, 0) } else { (0, 1) };
        format!("?repaired={repaired}&failed={failed}&left=0")
    });
    answer(&parts, &id, &told.unwrap_or_default(), found)
}

/// The page's form is led back to the run; a program gets what it asked for.
fn answer<T: Serialize>(parts: &Parts, id: &str, told: &str, done: Result<T, Error>) -> Result<Response, ApiError> {
    if !is_form(&parts.headers) {
        return Ok(Json(done?).into_response());
    }
    let at = format!("{PAGE}/{}", percent_encode(id));
    match done {
        Ok(_) => Ok(Redirect::to(&format!("{at}{told}")).into_response()),
        Err(error @ (Error::StripeNotConfigured | Error::StripeUnavailable(_) | Error::StripeRefused(_) | Error::NotFound(_))) => {
            Ok(Redirect::to(&format!("{at}?error={}", error.code())).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
