//! `GET /openapi.json` and `/docs`: the OpenAPI 3.1 document, from the `#[utoipa::path]` attributes
//! of handlers and server functions and from their types. [`completion`] adds what all responses
//! have in common. A test compares it with the router's paths in both directions.

mod completion;
mod page;

use crate::{
    api::{
        self,
        usage::{Encoding, UsageEventDraft},
    },
    app::calls::{self, Problem, problem::InvalidField},
    domain::{
        alert::MetricAlerts,
        features::Feature,
        forecast::Forecast,
        invoice::{InvoiceSort, InvoiceStatus},
        metric::{Gigabytes, Metric},
        reconcile::Kind,
        usage::{CountOverage, TransferOverage},
        usage_history::Granularity,
        webhook::WebhookStatus,
    },
    http::state::Server,
};
use axum::{http::header, response::IntoResponse};
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The general part, and the server functions: Leptos registers their routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "ApexMediation Billing",
        description = "Usage metering, invoices and the mirror of Stripe.\n\n\
            Money is an integer in the currency's minor unit, with the currency beside it. Periods are half-open `[start, end)` instants. \
            Errors are `application/problem+json` (RFC 9457) with a stable `code`. Every response has an `x-request-id`; quote it when you ask for help. Another customer's object is a 404. State-changing requests from a browser must come from this platform's own pages.\n\n\
            Roles: `readonly` sees its customer's usage and invoices, `publisher` manages its settings too, `admin` is the platform's staff, \
            who name a customer by `customer_id`. API keys read as `readonly` does, and send usage.",
    ),
    servers((url = "/", description = "This platform")),
    tags(
        (name = "Usage", description = "Usage events and usage per period."),
        (name = "Invoices", description = "The mirror of Stripe's invoices."),
        (name = "Alerts", description = "Usage notifications and caps."),
        (name = "Settings", description = "Billing contacts, API keys, Stripe's customer portal."),
        (name = "Webhooks", description = "Stripe's events, and their inbox for staff."),
        (name = "Administration", description = "For staff: features, customers, audit log, reconciliation."),
        (name = "Session", description = "Login, sessions and second factor."),
        (name = "Service", description = "Health and features."),
    ),
    paths(
        calls::features::switches,
        calls::reconciliations::reconciliation,
        calls::reconciliations::reconciliations,
        calls::audit::audit,
        calls::customers::customers,
        calls::features::features,
        calls::invoices::invoice,
        calls::invoices::invoices,
        calls::session::me,
        calls::session::own_sessions,
        calls::session::totp,
        calls::settings::alert_standing,
        calls::settings::alerts,
        calls::settings::fired_alerts,
        calls::settings::settings,
        calls::usage::usage_current,
        calls::usage::usage_history,
        calls::webhooks::webhook,
        calls::webhooks::webhooks,
    ),
    components(schemas(
        CountOverage, Encoding, Feature, Forecast, Gigabytes, Granularity, InvalidField, InvoiceSort, InvoiceStatus, Kind, Metric, MetricAlerts, Problem,
        TransferOverage, UsageEventDraft, WebhookStatus,
    )),
)]
struct Document;

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default().routes(routes!(json)).routes(routes!(page::docs))
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| completion::complete(incomplete()));

/// As the handlers describe themselves.
fn incomplete() -> Value {
    let mut document = Document::openapi();
    document.merge(api::router().into_openapi());
    serde_json::to_value(document).unwrap_or_default()
}

/// As served and printed.
static TEXT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", *DOCUMENT));

/// The whole document.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// The document as JSON text with a trailing line break.
pub fn text() -> &'static str {
    &TEXT
}

/// `GET /openapi.json`.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "Service", security(()),
    summary = "This document",
    responses((status = 200, description = "OpenAPI 3.1", body = Value))
)]
pub async fn json() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error_code::ErrorCode;

    /// Completion leaves out what it doesn't know.
    #[test]
    fn handlers_name_only_error_codes() {
        let document = incomplete();
        let items = document["paths"].as_object().expect("paths").values().filter_map(Value::as_object);
        let operations = items.flat_map(|item| item.values());
        let named: Vec<&Value> = operations.filter_map(|operation| operation["x-problems"].as_array()).flatten().collect();
        assert!(named.len() > 50, "{}", named.len());
        for code in named {
            assert!(code.as_str().and_then(ErrorCode::parse).is_some(), "{code} is not an error code");
        }
    }
}
