//! Roles: what a signed-in user may do.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What a signed-in user may do. The guard (`crate::guard`) checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads the usage, invoices and PDFs of its own customer.
    Readonly,
    /// Also manages its customer's alerts and API keys, and opens Stripe's customer portal.
    Publisher,
    /// The platform's staff: reads any customer, reconciles, replays, switches features.
    Admin,
}

impl Role {
    /// As stored and shown in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Readonly => "readonly",
            Role::Publisher => "publisher",
            Role::Admin => "admin",
        }
    }

    /// Whether it may change its customer's settings.
    pub const fn manages(self) -> bool {
        matches!(self, Role::Publisher | Role::Admin)
    }

    /// Whether it is the platform's staff.
    pub const fn is_staff(self) -> bool {
        matches!(self, Role::Admin)
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        [Role::Readonly, Role::Publisher, Role::Admin]
            .into_iter()
            .find(|role| role.as_str() == s)
            .ok_or_else(|| format!("`{s}` is not a role; it is one of readonly, publisher, admin"))
    }
}
