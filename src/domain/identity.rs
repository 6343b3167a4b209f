//! Who asks, and whose data a question is about.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// A customer (a publisher's account). Every query that reads a customer's rows takes one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(value_type = uuid::Uuid))]
#[serde(transparent)]
pub struct CustomerId(pub Uuid);

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a signed-in person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees its own customer's usage, invoices and PDFs.
    Readonly,
    /// That, and manages its customer's alerts, API keys and Stripe portal.
    Publisher,
    /// The platform's staff: any customer.
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

    /// May change its customer's settings.
    pub const fn manages(self) -> bool {
        matches!(self, Role::Publisher | Role::Admin)
    }

    /// Is the platform's staff.
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

/// The signed-in person, as `GET /auth/me` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Viewer {
    pub email: String,
    pub role: Role,
    /// The customer whose data the pages show; staff may have none.
    pub customer: Option<ViewerCustomer>,
    /// It is staff that looks at the pages as this customer does, and changes nothing; left out where it is not so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub viewing: bool,
}

/// The part of a customer that a signed-in person sees of it everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct ViewerCustomer {
    pub id: CustomerId,
    pub name: String,
}
