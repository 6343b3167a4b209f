//! Query parameters as the OpenAPI document describes them. Handlers and server functions parse them from text.

use crate::domain::{
    invoice::{InvoiceSort, InvoiceStatus},
    metric::Metric,
    reconcile::Kind,
    usage_history::Granularity,
    webhook::WebhookStatus,
};
use serde_json::{Value, json};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};
use uuid::Uuid;

/// Whose data.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfCustomer {
    /// Whose data. Only the platform's staff may name somebody else, and has to unless it belongs to a customer itself.
    pub customer_id: Option<Uuid>,
}

/// Which page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// The first is 1.
    #[param(minimum = 1, default = 1)]
    pub page: Option<u32>,
    /// Rows a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub limit: Option<u32>,
}

/// Which invoices, in which order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InvoiceFilter {
    /// All of them if left out.
    pub status: Option<InvoiceStatus>,
    /// Issued on or after this date (UTC) or instant; drafts: created.
    #[param(inline, required = false, value_type = Moment)]
    pub from: Option<String>,
    /// Issued on or before this date (UTC), or before this instant; drafts: created.
    #[param(inline, required = false, value_type = Moment)]
    pub to: Option<String>,
    /// Part of the number, of Stripe's id or of a line's text, in upper or lower case; or the total, e.g. `726.01`.
    #[param(max_length = 100)]
    pub q: Option<String>,
    /// By the date of issue or the total, `-` for the newest or largest first; `-issued` if left out. Totals are in order within each
    /// currency. `created` and `-created` are older names of `issued` and `-issued`.
    pub sort: Option<InvoiceSort>,
}

/// Which discrepancies of a run.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DiscrepancyFilter {
    /// All of them if left out.
    pub kind: Option<Kind>,
}

/// Which usage, and how finely.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UsageSpan {
    /// All of them if left out.
    pub metric: Option<Metric>,
    /// The first instant: an RFC 3339 instant, or a date for its first instant in UTC. A week, 30 days or a year before `to` if left out.
    #[param(inline, required = false, value_type = Moment)]
    pub from: Option<String>,
    /// The instant after the last one. Now if left out.
    #[param(inline, required = false, value_type = Moment)]
    pub to: Option<String>,
    /// Length of a point; `day` if left out.
    pub granularity: Option<Granularity>,
    /// `app`: a series for each of the 20 apps with the most usage, one for the others.
    #[param(inline, required = false, value_type = Grouping)]
    pub group_by: Option<String>,
}

/// Which of Stripe's events.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WebhookFilter {
    /// All of them if left out.
    pub status: Option<WebhookStatus>,
    /// Event type, or its beginning.
    #[param(max_length = 100, example = "invoice.paid")]
    pub r#type: Option<String>,
    /// Part of an id of the event, its object or its customer.
    #[param(max_length = 100)]
    pub q: Option<String>,
}

/// Which entries of the audit trail.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditFilter {
    /// Entry type, or its beginning.
    #[param(max_length = 100, example = "session.login")]
    pub r#type: Option<String>,
    /// Part of who did it.
    #[param(max_length = 100)]
    pub actor: Option<String>,
    /// Whom it was about.
    pub customer_id: Option<Uuid>,
    /// Since when: a date or an instant.
    pub from: Option<String>,
    /// Until when: a date, which counts whole, or before which instant.
    pub to: Option<String>,
    /// Part of an entry's data, or its address.
    #[param(max_length = 100)]
    pub q: Option<String>,
}

/// Which customers.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CustomerFilter {
    /// Part of the name, the e-mail address, or the id here or in Stripe.
    #[param(max_length = 100)]
    pub q: Option<String>,
}

/// A date or an instant, as a query has it.
enum Moment {}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        schema(
            json!({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}], "examples": ["2026-11-01", "2026-11-01T00:00:00Z"]}),
        )
    }
}

impl ToSchema for Moment {}

/// What a series may be split by.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Grouping {
    App,
}

fn schema(json: Value) -> RefOr<Schema> {
    // A schema that can't be read would allow everything; the document's snapshot shows it.
    serde_json::from_value(json).unwrap_or_else(|_| Schema::default().into())
}
