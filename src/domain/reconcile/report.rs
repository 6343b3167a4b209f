//! Runs, as staff and API clients see them.

use super::{Discrepancy, Kind, Totals};
use crate::domain::{identity::CustomerId, list::Pagination};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReconciliationStatus {
    Running,
    /// Everything in its scope was compared.
    Completed,
    /// Ended early: the result covers only part of the scope.
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

/// Number of compared objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Checked {
    pub customers: i64,
    pub subscriptions: i64,
    pub invoices: i64,
    /// Customers' metrics, each in a period or on an invoice.
    pub metrics: i64,
}

/// A discrepancy of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FoundDiscrepancy {
    pub id: i64,
    #[serde(flatten)]
    pub discrepancy: Discrepancy,
    pub customer_id: Option<CustomerId>,
    pub customer: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub repaired_at: Option<OffsetDateTime>,
    /// Why the last repair failed.
    pub repair_error: Option<String>,
}

/// A run without its discrepancies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReconciliationSummary {
    pub id: Uuid,
    pub status: ReconciliationStatus,
    /// Who started it; `system` for the nightly run.
    pub actor: String,
    pub customer_id: Option<CustomerId>,
    pub customer: Option<String>,
    /// Objects created in `[from, to)`; without `from`, all up to `to`.
    #[serde(with = "time::serde::rfc3339::option")]
    pub from: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub to: OffsetDateTime,
    pub repair: bool,
    /// The current stage, or the last one.
    pub stage: String,
    pub checked: Checked,
    /// Objects compared so far, and their estimated total.
    pub rows_checked: i64,
    pub rows_total: Option<i64>,
    #[serde(rename = "discrepancy_count")]
    pub discrepancies: i64,
    pub repaired: i64,
    #[schema(value_type = std::collections::BTreeMap<String, i64>)]
    pub currency_totals: Totals,
    /// Only set for a completed run.
    pub within_tolerance: Option<bool>,
    pub error: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub finished_at: Option<OffsetDateTime>,
}

/// `GET /admin/reconciliations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReconciliationPage {
    pub reconciliations: Vec<ReconciliationSummary>,
    pub pagination: Pagination,
    /// Whether a Stripe key is configured.
    pub stripe_configured: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KindCount {
    pub kind: Kind,
    pub count: i64,
}

/// A page of a run's discrepancies, largest amounts first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DiscrepancyPage {
    pub discrepancies: Vec<FoundDiscrepancy>,
    pub kinds: Vec<KindCount>,
    pub pagination: Pagination,
}

/// `GET /admin/reconciliations/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReconciliationDetail {
    #[serde(flatten)]
    pub summary: ReconciliationSummary,
    #[serde(flatten)]
    pub found: DiscrepancyPage,
}

/// Response of `POST /billing/reconcile`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reconciliation {
    /// Whether everything in scope was compared; independent of the discrepancies.
    pub success: bool,
    pub reconciliation_id: Uuid,
    /// When the run completed.
    #[serde(with = "time::serde::rfc3339")]
    pub timestamp: OffsetDateTime,
    pub checked: Checked,
    /// Largest amounts first, at most a thousand; `GET /admin/reconciliations/{id}` returns all in
    /// pages.
    pub discrepancies: Vec<FoundDiscrepancy>,
    pub discrepancy_count: i64,
    /// Total in minor units of US dollars. Other currencies are in `currency_totals`, and never
    /// included.
    pub total_discrepancy_amount: i64,
    #[schema(value_type = std::collections::BTreeMap<String, i64>)]
    pub currency_totals: Totals,
    pub within_tolerance: bool,
    pub repaired: i64,
}

/// The result of a repair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Repair {
    pub repaired: i64,
    pub failed: i64,
    /// Not attempted.
    pub left: i64,
}
