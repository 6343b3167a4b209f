//! Query parameters as documented in OpenAPI. Handlers and server functions parse them from text.

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

/// The customer.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfCustomer {
    /// The customer. Only staff may name another customer, and must name one if they have none of
    /// their own.
    pub customer_id: Option<Uuid>,
}

/// The page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// The first is 1.
    #[param(minimum = 1, default = 1)]
    pub page: Option<u32>,
    /// Rows per page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub limit: Option<u32>,
}

/// Filters and order of invoices.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InvoiceFilter {
    /// Default: all.
    pub status: Option<InvoiceStatus>,
    /// Issued on or after this date (UTC) or instant; drafts: created.
    #[param(inline, required = false, value_type = Moment)]
    pub from: Option<String>,
    /// Issued on or before this date (UTC), or before this instant; drafts: created.
    #[param(inline, required = false, value_type = Moment)]
    pub to: Option<String>,
    /// Part of the number, of Stripe's id or of a line's text, in any case; or the total, e.g.
    /// `726.01`.
    #[param(max_length = 100)]
    pub q: Option<String>,
    /// By the date of issue or the total, with `-` for the newest or largest first; default
    /// `-issued`. Totals are ordered within each currency. `created` and `-created` are older names
    /// of `issued` and `-issued`.
    pub sort: Option<InvoiceSort>,
}

/// Filters of a run's discrepancies.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DiscrepancyFilter {
    /// Default: all.
    pub kind: Option<Kind>,
}

/// The usage and its resolution.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UsageSpan {
    /// Default: all.
    pub metric: Option<Metric>,
    /// The start: an RFC 3339 instant, or a date for its start in UTC. Default: a week, 30 days or
    /// a year before `to`.
    #[param(inline, required = false, value_type = Moment)]
    pub from: Option<String>,
    /// The end, exclusive. Default: now.
    #[param(inline, required = false, value_type = Moment)]
    pub to: Option<String>,
    /// Length of a point; default `day`.
    pub granularity: Option<Granularity>,
    /// `app`: one series for each of the 20 apps with the most usage, and one for the others.
    #[param(inline, required = false, value_type = Grouping)]
    pub group_by: Option<String>,
}

/// Filters of Stripe's events.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WebhookFilter {
    /// Default: all.
    pub status: Option<WebhookStatus>,
    /// Event type, or its beginning.
    #[param(max_length = 100, example = "invoice.paid")]
    pub r#type: Option<String>,
    /// Part of the id of the event, its object or its customer.
    #[param(max_length = 100)]
    pub q: Option<String>,
}

/// Filters of audit log entries.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditFilter {
    /// Entry type, or its beginning.
    #[param(max_length = 100, example = "session.login")]
    pub r#type: Option<String>,
    /// Part of the actor's name.
    #[param(max_length = 100)]
    pub actor: Option<String>,
    /// The customer of the change.
    pub customer_id: Option<Uuid>,
    /// Start: a date or an instant.
    pub from: Option<String>,
    /// End: a date (inclusive) or an instant (exclusive).
    pub to: Option<String>,
    /// Part of an entry's data, or its address.
    #[param(max_length = 100)]
    pub q: Option<String>,
}

/// Search for customers.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CustomerFilter {
    /// Part of the name, the e-mail address, our id or Stripe's id.
    #[param(max_length = 100)]
    pub q: Option<String>,
}

/// A date or an instant in a query.
enum Moment {}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        schema(
            json!({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}], "examples": ["2026-11-01", "2026-11-01T00:00:00Z"]}),
        )
    }
}

impl ToSchema for Moment {}

/// How series may be split.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Grouping {
    App,
}

fn schema(json: Value) -> RefOr<Schema> {
    // An invalid schema would allow everything; the document's snapshot shows it.
    serde_json::from_value(json).unwrap_or_else(|_| Schema::default().into())
}
