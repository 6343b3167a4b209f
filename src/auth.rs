//! Who is asking: sessions of people, keys of machines.

pub mod api_key;
pub mod breached_passwords;
pub mod common_passwords;
pub mod error;
pub mod password;
pub mod totp;

use crate::domain::{identity::CustomerId, role::Role};
use uuid::Uuid;

/// The signed-in person or machine of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    User {
        id: Uuid,
        email: String,
        role: Role,
        /// Its own.
        customer: Option<CustomerId>,
        /// Signing in asks for a code.
        has_second_factor: bool,
        /// As whom a member of the staff looks at the pages, and changes nothing.
        viewing: Option<CustomerId>,
    },
    /// Sends usage and reads its customer's billing.
    ApiKey { id: Uuid, name: String, customer: CustomerId },
}

impl Principal {
    /// What it may do; a key reads.
    pub const fn role(&self) -> Role {
        match self {
            Principal::User { role, .. } => *role,
            Principal::ApiKey { .. } => Role::Readonly,
        }
    }

    /// The customer that it asks about unless it names another: the one that it views as, else its own.
    pub const fn customer(&self) -> Option<CustomerId> {
        match self {
            Principal::User { viewing: Some(viewing), .. } => Some(*viewing),
            _ => self.own_customer(),
        }
    }

    /// The customer that it belongs to.
    pub const fn own_customer(&self) -> Option<CustomerId> {
        match self {
            Principal::User { customer, .. } => *customer,
            Principal::ApiKey { customer, .. } => Some(*customer),
        }
    }

    /// The customer as whom a member of the staff looks at the pages.
    pub const fn viewing(&self) -> Option<CustomerId> {
        match self {
            Principal::User { viewing, .. } => *viewing,
            Principal::ApiKey { .. } => None,
        }
    }

    /// The same person looking at the pages as this customer; nobody but staff can.
    #[must_use]
    pub fn viewing_as(mut self, customer: Option<CustomerId>) -> Principal {
        if let Principal::User { role, viewing, .. } = &mut self {
            *viewing = customer.filter(|_| role.is_staff());
        }
        self
    }

    /// Its name in the audit trail.
    pub fn actor(&self) -> String {
        match self {
            Principal::User { email, .. } => email.clone(),
            Principal::ApiKey { name, .. } => format!("api_key:{name}"),
        }
    }
}
