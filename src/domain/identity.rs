//! Customers, users and roles.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// A customer (a publisher's account). Every query for a customer's rows takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(value_type = uuid::Uuid))]
#[serde(transparent)]
pub struct CustomerId(pub Uuid);

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A user's permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees its own customer's usage, invoices and PDFs.
    Readonly,
    /// Also manages its customer's alerts, API keys and Stripe portal.
    Publisher,
    /// The platform's staff: sees every customer.
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

    /// Whether the role may change its customer's settings.
    pub const fn manages(self) -> bool {
        matches!(self, Role::Publisher | Role::Admin)
    }

    /// Whether the role is the platform's staff.
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

/// The signed-in user, as `GET /auth/me` returns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Viewer {
    pub email: String,
    pub role: Role,
    /// The customer whose data the pages show; staff may have none.
    pub customer: Option<ViewerCustomer>,
    /// Staff view the pages as this customer, read-only; absent otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub viewing: bool,
}

/// The part of a customer that its users see everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ViewerCustomer {
    pub id: CustomerId,
    pub name: String,
}
