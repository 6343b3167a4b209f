//! The filters of each list.

use super::{Parameter, SearchText, TimeBound};
use crate::domain::{
    identity::CustomerId,
    invoice::{InvoiceSort, InvoiceStatus},
    reconcile::Kind,
    webhook::WebhookStatus,
};
use serde::{Deserialize, Serialize};

/// Filters and order of invoices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InvoiceFilter {
    /// Default: all.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = InvoiceStatus)]
    pub status: Parameter<InvoiceStatus>,
    /// Issued on or after this date (UTC) or instant; drafts: created.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(inline, required = false, value_type = TimeBound)]
    pub from: Parameter<TimeBound>,
    /// Issued on or before this date (UTC), or before this instant; drafts: created.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(inline, required = false, value_type = TimeBound)]
    pub to: Parameter<TimeBound>,
    /// Part of the number, of Stripe's id or of a line's text, in any case; or the total, e.g.
    /// `726.01`.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = String, max_length = 100)]
    pub q: Parameter<SearchText>,
    /// By the date of issue or the total, with `-` for the newest or largest first; default
    /// `-issued`. Totals are ordered within each currency. `created` and `-created` are older names
    /// of `issued` and `-issued`.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = InvoiceSort)]
    pub sort: Parameter<InvoiceSort>,
}

/// Filters of Stripe's events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WebhookFilter {
    /// Default: all.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = WebhookStatus)]
    pub status: Parameter<WebhookStatus>,
    /// Event type, or its beginning.
    #[serde(rename = "type", skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = String, max_length = 100, example = "invoice.paid")]
    pub event_type: Parameter<SearchText>,
    /// Part of the id of the event, its object or its customer.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = String, max_length = 100)]
    pub q: Parameter<SearchText>,
}

/// Filters of audit log entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditFilter {
    /// Entry type, or its beginning.
    #[serde(rename = "type", skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = String, max_length = 100, example = "session.login")]
    pub event_type: Parameter<SearchText>,
    /// Part of the actor's name.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = String, max_length = 100)]
    pub actor: Parameter<SearchText>,
    /// The customer of the change.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = uuid::Uuid)]
    pub customer_id: Parameter<CustomerId>,
    /// Start: a date or an instant.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = String)]
    pub from: Parameter<TimeBound>,
    /// End: a date (inclusive) or an instant (exclusive).
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = String)]
    pub to: Parameter<TimeBound>,
    /// Part of an entry's data, or its address.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = String, max_length = 100)]
    pub q: Parameter<SearchText>,
}

/// Search for customers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CustomerFilter {
    /// Part of the name, the e-mail address, our id or Stripe's id.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = String, max_length = 100)]
    pub q: Parameter<SearchText>,
}

/// Filters of a run's discrepancies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DiscrepancyFilter {
    /// Default: all.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[param(required = false, value_type = Kind)]
    pub kind: Parameter<Kind>,
}

/// The list of reconciliation runs has no filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EveryRun {}
