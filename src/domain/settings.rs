//! What a customer manages by itself: alerts, billing contacts, keys of its machines.

use super::{
    alert::{AlertSettings, FiredAlert},
    email::EmailAddress,
    money::Currency,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// Somebody who is written to about a customer's bills.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Contact {
    pub id: Uuid,
    pub name: Option<String>,
    pub email: EmailAddress,
}

/// A machine's key, as far as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ApiKeySummary {
    pub id: Uuid,
    pub name: String,
    /// The first characters, to recognise it by.
    pub prefix: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// To the minute; None when it has never been used.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
}

/// A key that was just made, in the one answer that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct NewApiKey {
    #[serde(flatten)]
    pub summary: ApiKeySummary,
    pub key: String,
}

/// Everything that the settings page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CustomerSettings {
    /// Whether the person may change any of it.
    pub manages: bool,
    pub alerts: AlertSettings,
    pub currency: Currency,
    /// What fired in the running period, newest first.
    pub fired: Vec<FiredAlert>,
    /// Stripe's address for invoices.
    pub billing_email: Option<String>,
    pub contacts: Vec<Contact>,
    /// None for whoever may not manage them.
    pub api_keys: Option<Vec<ApiKeySummary>>,
}
