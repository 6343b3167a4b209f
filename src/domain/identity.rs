//! Customers, users and roles.

use super::{language::Language, role::Role};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// A customer (a publisher's account). Every query for a customer's rows takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(value_type = uuid::Uuid)]
#[serde(transparent)]
pub struct CustomerId(pub Uuid);

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CustomerId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(CustomerId).map_err(|_| "must be a customer's id, a UUID".to_owned())
    }
}

/// The signed-in user, as `GET /auth/me` returns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Viewer {
    pub email: String,
    pub role: Role,
    /// The customer whose data the pages show; staff may have none.
    pub customer: Option<ViewerCustomer>,
    /// Staff view the pages as this customer, read-only; absent otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub viewing: bool,
    /// The user's own choice; absent if the customer's preferred locale or the browser decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// The part of a customer that its users see everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ViewerCustomer {
    pub id: CustomerId,
    pub name: String,
}
