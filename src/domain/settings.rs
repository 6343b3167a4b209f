//! What customers manage themselves: alerts, billing contacts, API keys.

use super::{
    alert::{AlertSettings, FiredAlert},
    email::EmailAddress,
    money::Currency,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// A recipient of mail about a customer's bills.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Contact {
    pub id: Uuid,
    pub name: Option<String>,
    pub email: EmailAddress,
}

/// An API key without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ApiKeySummary {
    pub id: Uuid,
    pub name: String,
    /// The first characters, to identify it.
    pub prefix: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Rounded to the minute; null if it was never used.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
}

/// A new API key with its secret, returned once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewApiKey {
    #[serde(flatten)]
    pub summary: ApiKeySummary,
    pub key: String,
}

/// The data of the settings page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CustomerSettings {
    /// Whether the user may change any of it.
    pub manages: bool,
    pub alerts: AlertSettings,
    pub currency: Currency,
    /// Alerts of the current period, newest first.
    pub fired: Vec<FiredAlert>,
    /// Stripe's address for invoices.
    pub billing_email: Option<String>,
    pub contacts: Vec<Contact>,
    /// Null for users who may not manage them.
    pub api_keys: Option<Vec<ApiKeySummary>>,
}
