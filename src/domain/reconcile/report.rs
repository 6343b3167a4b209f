//! Runs as staff and programs see them.

use super::{Discrepancy, Kind, Totals};
use crate::domain::{identity::CustomerId, invoice::Pagination};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReconciliationStatus {
    Running,
    /// Everything in its scope was compared.
    Completed,
    /// Ended early: what it says is about a part only.
    Failed,
    Cancelled,
}

impl ReconciliationStatus {
    pub const ALL: [ReconciliationStatus; 4] =
        [ReconciliationStatus::Running, ReconciliationStatus::Completed, ReconciliationStatus::Failed, ReconciliationStatus::Cancelled];

    /// As stored and shown in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            ReconciliationStatus::Running => "running",
            ReconciliationStatus::Completed => "completed",
            ReconciliationStatus::Failed => "failed",
            ReconciliationStatus::Cancelled => "cancelled",
        }
    }

    /// As people read it.
    pub const fn title(self) -> &'static str {
        match self {
            ReconciliationStatus::Running => "Running",
            ReconciliationStatus::Completed => "Completed",
            ReconciliationStatus::Failed => "Failed",
            ReconciliationStatus::Cancelled => "Cancelled",
        }
    }
}

impl fmt::Display for ReconciliationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ReconciliationStatus {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        ReconciliationStatus::ALL.into_iter().find(|status| status.as_str() == s).ok_or_else(|| format!("`{s}` is not a status of a run"))
    }
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Checked {
    pub customers: i64,
    pub subscriptions: i64,
    pub invoices: i64,
    /// Customers' metrics, in a period each or on an invoice.
    pub metrics: i64,
}

/// A discrepancy of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct FoundDiscrepancy {
    pub id: i64,
    #[serde(flatten)]
    pub discrepancy: Discrepancy,
    pub customer_id: Option<CustomerId>,
    pub customer: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub repaired_at: Option<OffsetDateTime>,
    /// Why the last try to repair it came to nothing.
    pub repair_error: Option<String>,
}

/// A run, without what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ReconciliationSummary {
    pub id: Uuid,
    pub status: ReconciliationStatus,
    /// Who started it; `system` for the nightly run.
    pub actor: String,
    pub customer_id: Option<CustomerId>,
    pub customer: Option<String>,
    /// Objects made in `[from, to)`; no `from`: since ever.
    #[serde(with = "time::serde::rfc3339::option")]
    pub from: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub to: OffsetDateTime,
    pub repair: bool,
    /// What it is at, or was at when it ended.
    pub stage: String,
    pub checked: Checked,
    /// Objects compared so far, and about how many there are.
    pub rows_checked: i64,
    pub rows_total: Option<i64>,
    #[serde(rename = "discrepancy_count")]
    pub discrepancies: i64,
    pub repaired: i64,
    #[cfg_attr(feature = "ssr", schema(value_type = std::collections::BTreeMap<String, i64>))]
    pub currency_totals: Totals,
    /// Only a completed run says so.
    pub within_tolerance: Option<bool>,
    pub error: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub finished_at: Option<OffsetDateTime>,
}

/// `GET /admin/reconciliations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ReconciliationPage {
    pub reconciliations: Vec<ReconciliationSummary>,
    pub pagination: Pagination,
    /// Whether there is a key to ask Stripe with.
    pub stripe_configured: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct KindCount {
    pub kind: Kind,
    pub count: i64,
}

/// A page of a run's discrepancies, those of the most money first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct DiscrepancyPage {
    pub discrepancies: Vec<FoundDiscrepancy>,
    pub kinds: Vec<KindCount>,
    pub pagination: Pagination,
}

/// `GET /admin/reconciliations/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ReconciliationDetail {
    #[serde(flatten)]
    pub summary: ReconciliationSummary,
    #[serde(flatten)]
    pub found: DiscrepancyPage,
}

/// The answer to `POST /billing/reconcile`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Reconciliation {
    /// Everything in scope was compared. What was found says nothing about this.
    pub success: bool,
    pub reconciliation_id: Uuid,
    /// When the run was complete.
    #[serde(with = "time::serde::rfc3339")]
    pub timestamp: OffsetDateTime,
    pub checked: Checked,
    /// Those of the most money first, a thousand at most; `GET /admin/reconciliations/{id}` pages through all.
    pub discrepancies: Vec<FoundDiscrepancy>,
    pub discrepancy_count: i64,
    /// Minor units of US dollars: the total of that currency alone. What is in others stands in `currency_totals`, and is never added to it.
    pub total_discrepancy_amount: i64,
    #[cfg_attr(feature = "ssr", schema(value_type = std::collections::BTreeMap<String, i64>))]
    pub currency_totals: Totals,
    pub within_tolerance: bool,
    pub repaired: i64,
}

/// What a repair came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Repair {
    pub repaired: i64,
    pub failed: i64,
    /// Not come to.
    pub left: i64,
}
