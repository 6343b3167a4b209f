//! What each list can be narrowed to.

use super::{Parameter, SearchText, TimeBound};
use crate::domain::{
    identity::CustomerId,
    invoice::{InvoiceSort, InvoiceStatus},
    reconcile::Kind,
    webhook::WebhookStatus,
};
use serde::{Deserialize, Serialize};

/// Which invoices, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct InvoiceFilter {
    /// All of them if left out.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = InvoiceStatus))]
    pub status: Parameter<InvoiceStatus>,
    /// Issued on or after this date (UTC) or instant; drafts: created.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(inline, required = false, value_type = TimeBound))]
    pub from: Parameter<TimeBound>,
    /// Issued on or before this date (UTC), or before this instant; drafts: created.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(inline, required = false, value_type = TimeBound))]
    pub to: Parameter<TimeBound>,
    /// Part of the number, of Stripe's id or of a line's text, in upper or lower case; or the total, e.g. `726.01`.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = String, max_length = 100))]
    pub q: Parameter<SearchText>,
    /// By the date of issue or the total, `-` for the newest or largest first; `-issued` if left out. Totals are in order within each
    /// currency. `created` and `-created` are older names of `issued` and `-issued`.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = InvoiceSort))]
    pub sort: Parameter<InvoiceSort>,
}

/// Which of Stripe's events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct WebhookFilter {
    /// All of them if left out.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = WebhookStatus))]
    pub status: Parameter<WebhookStatus>,
    /// Event type, or its beginning.
    #[serde(rename = "type", skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = String, max_length = 100, example = "invoice.paid"))]
    pub event_type: Parameter<SearchText>,
    /// Part of an id of the event, its object or its customer.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = String, max_length = 100))]
    pub q: Parameter<SearchText>,
}

/// Which entries of the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct AuditFilter {
    /// Entry type, or its beginning.
    #[serde(rename = "type", skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = String, max_length = 100, example = "session.login"))]
    pub event_type: Parameter<SearchText>,
    /// Part of who did it.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = String, max_length = 100))]
    pub actor: Parameter<SearchText>,
    /// Whom it was about.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = uuid::Uuid))]
    pub customer_id: Parameter<CustomerId>,
    /// Since when: a date or an instant.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = String))]
    pub from: Parameter<TimeBound>,
    /// Until when: a date, which counts whole, or before which instant.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = String))]
    pub to: Parameter<TimeBound>,
    /// Part of an entry's data, or its address.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = String, max_length = 100))]
    pub q: Parameter<SearchText>,
}

/// Which customers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct CustomerFilter {
    /// Part of the name, the e-mail address, or the id here or in Stripe.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = String, max_length = 100))]
    pub q: Parameter<SearchText>,
}

/// Which discrepancies of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "ssr", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct DiscrepancyFilter {
    /// All of them if left out.
    #[serde(skip_serializing_if = "Parameter::is_absent")]
    #[cfg_attr(feature = "ssr", param(required = false, value_type = Kind))]
    pub kind: Parameter<Kind>,
}

/// Every run of the reconciliation: that list has no filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EveryRun {}
