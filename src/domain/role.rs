//! Roles: what a signed-in user may do.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What a signed-in user may do. The guard (`crate::guard`) checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
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
    /// From the least to the most that a user may do.
    pub const ALL: [Role; 3] = [Role::Readonly, Role::Publisher, Role::Admin];

    /// As stored and shown in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Readonly => "readonly",
            Role::Publisher => "publisher",
            Role::Admin => "admin",
        }
    }

    /// As users read it.
    pub const fn title(self) -> &'static str {
        match self {
            Role::Readonly => "Read only",
            Role::Publisher => "Publisher",
            Role::Admin => "Staff",
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
        Role::ALL.into_iter().find(|role| role.as_str() == s).ok_or_else(|| {
            let known = Role::ALL.map(Role::as_str).join(", ");
            format!("`{s}` is not a role; it is one of {known}")
        })
    }
}
