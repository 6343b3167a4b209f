//! Who calls a use case, as the guard has admitted them.

use super::{Platform, invoices::Scope};
use crate::{
    auth::Principal,
    domain::{identity::CustomerId, session::SessionKey},
};
use uuid::Uuid;

/// A signed-in person or machine.
pub struct Reader {
    pub platform: Platform,
    pub principal: Principal,
    pub scope: Scope,
}

/// A signed-in person, not a machine.
pub struct Person {
    pub platform: Platform,
    pub principal: Principal,
    pub id: Uuid,
    pub email: String,
    /// The session of this request.
    pub session: Option<SessionKey>,
}

/// A signed-in person or machine, and the customer that the request is about.
pub struct Caller {
    pub platform: Platform,
    pub principal: Principal,
    pub customer: CustomerId,
}

/// A member of the platform's staff.
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
