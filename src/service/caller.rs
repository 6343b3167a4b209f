//! The caller of a use case, as authorized by the guard.

use super::{Platform, invoices::Scope};
use crate::{
    auth::Principal,
    domain::{identity::CustomerId, session::SessionKey},
};
use uuid::Uuid;

/// An authenticated user or API key.
pub struct Reader {
    pub platform: Platform,
    pub principal: Principal,
    pub scope: Scope,
}

/// A signed-in user, not an API key.
pub struct Person {
    pub platform: Platform,
    pub principal: Principal,
    pub id: Uuid,
    pub email: String,
    /// The session of this request.
    pub session: Option<SessionKey>,
}

/// An authenticated user or API key, and the customer of the request.
pub struct Caller {
    pub platform: Platform,
    pub principal: Principal,
    pub customer: CustomerId,
}

/// A staff user.
pub struct Staff {
    pub platform: Platform,
    pub principal: Principal,
}

/// A customer's machine, by its API key.
pub struct Machine {
    pub platform: Platform,
    /// The key's id.
    pub key: Uuid,
    pub customer: CustomerId,
}
