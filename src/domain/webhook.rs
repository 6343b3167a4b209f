//! Stripe's events as staff see them: the inbox, processing statuses, and results of replays.

use super::list::Pagination;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::OffsetDateTime;

/// An event's processing status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookStatus {
    /// Stored, and queued to be applied.
    Received,
    Applied,
    Ignored,
    /// Failed; will be retried.
    Failed,
    /// Failed too often; only a manual replay applies it.
    Dead,
}

impl WebhookStatus {
    pub const ALL: [WebhookStatus; 5] =
        [WebhookStatus::Received, WebhookStatus::Applied, WebhookStatus::Ignored, WebhookStatus::Failed, WebhookStatus::Dead];

    /// As stored and shown in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            WebhookStatus::Received => "received",
            WebhookStatus::Applied => "applied",
            WebhookStatus::Ignored => "ignored",
            WebhookStatus::Failed => "failed",
            WebhookStatus::Dead => "dead",
        }
    }

    /// Failed, whether or not it will be retried.
    pub const fn is_failure(self) -> bool {
        matches!(self, WebhookStatus::Failed | WebhookStatus::Dead)
    }
}

impl fmt::Display for WebhookStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for WebhookStatus {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        WebhookStatus::ALL
            .into_iter()
            .find(|status| status.as_str() == s)
            .ok_or_else(|| format!("`{s}` is not a webhook status; it is one of received, applied, ignored, failed, dead"))
    }
}

/// One row of the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WebhookSummary {
    /// Stripe's id of the event.
    pub id: String,
    pub event_type: String,
    pub status: WebhookStatus,
    /// Number of attempts to apply it.
    pub attempts: u32,
    /// Why it was ignored or failed.
    pub error: Option<String>,
    /// Stripe's id of the event's object.
    pub object_id: Option<String>,
    /// Name of the customer that it belongs to.
    pub customer: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
    /// Time of the last attempt to apply it.
    #[serde(with = "time::serde::rfc3339::option")]
    pub processed_at: Option<OffsetDateTime>,
}

/// Number of events per status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WebhookCounts {
    pub received: u64,
    pub applied: u64,
    pub ignored: u64,
    pub failed: u64,
    pub dead: u64,
}

impl WebhookCounts {
    /// The count of one status, or of all.
    pub const fn of(&self, status: Option<WebhookStatus>) -> u64 {
        match status {
            Some(WebhookStatus::Received) => self.received,
            Some(WebhookStatus::Applied) => self.applied,
            Some(WebhookStatus::Ignored) => self.ignored,
            Some(WebhookStatus::Failed) => self.failed,
            Some(WebhookStatus::Dead) => self.dead,
            None => self.received + self.applied + self.ignored + self.failed + self.dead,
        }
    }
}

/// `GET /admin/webhooks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WebhookPage {
    pub events: Vec<WebhookSummary>,
    pub pagination: Pagination,
    /// By status, with all other filters applied.
    pub counts: WebhookCounts,
}

/// `GET /admin/webhooks/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WebhookDetail {
    #[serde(flatten)]
    pub summary: WebhookSummary,
    pub api_version: Option<String>,
    pub livemode: Option<bool>,
    /// The invoice that the event's object belongs to.
    pub stripe_invoice_id: Option<String>,
    /// When it happened, by Stripe's clock.
    #[serde(with = "time::serde::rfc3339::option")]
    pub happened_at: Option<OffsetDateTime>,
    /// The exact request body that was signed.
    pub payload: String,
}

/// `POST /admin/webhooks/{id}/replay`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WebhookReplay {
    pub id: String,
    pub status_before: WebhookStatus,
    pub status: WebhookStatus,
    /// Why it was ignored or failed.
    pub error: Option<String>,
}

/// `POST /admin/webhooks/replay`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WebhookReplays {
    pub replayed: u64,
    /// Those that failed again.
    pub still_failing: u64,
    /// Failures that this run did not attempt.
    pub left: u64,
}
