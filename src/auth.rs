//! Authentication: credentials of users and API keys.

pub mod api_key;
pub mod breached_passwords;
pub mod common_passwords;
pub mod error;
pub mod password;
pub mod totp;

use crate::domain::{identity::CustomerId, language::Language, role::Role};
use uuid::Uuid;

/// The authenticated user or API key of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    User {
        id: Uuid,
        email: String,
        role: Role,
        /// The user's own customer.
        customer: Option<CustomerId>,
        /// Its name, if it was read with the user.
        customer_name: Option<String>,
        /// Login requires a code.
        has_second_factor: bool,
        /// The customer as which staff view the pages, read-only.
        viewing: Option<CustomerId>,
        /// The user's own choice.
        language: Option<Language>,
        /// The language of the customer's preferred locale at Stripe.
        customer_language: Option<Language>,
    },
    /// Sends usage and reads its customer's billing data.
    ApiKey { id: Uuid, name: String, customer: CustomerId },
}

impl Principal {
    /// Its role; an API key is read-only.
    pub const fn role(&self) -> Role {
        match self {
            Principal::User { role, .. } => *role,
            Principal::ApiKey { .. } => Role::Readonly,
        }
    }

    /// The customer of a request that names none: the viewed customer, or else its own.
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

    /// The name of [`Principal::customer`], if it was read with the user.
    pub fn known_customer_name(&self) -> Option<&str> {
        match self {
            Principal::User { viewing: None, customer_name, .. } => customer_name.as_deref(),
            _ => None,
        }
    }

    /// The customer as which staff view the pages.
    pub const fn viewing(&self) -> Option<CustomerId> {
        match self {
            Principal::User { viewing, .. } => *viewing,
            Principal::ApiKey { .. } => None,
        }
    }

    /// The same user viewing as this customer; only staff can.
    #[must_use]
    pub fn viewing_as(mut self, customer: Option<CustomerId>) -> Principal {
        if let Principal::User { role, viewing, .. } = &mut self {
            *viewing = customer.filter(|_| role.is_staff());
        }
        self
    }

    /// The language that the user chose.
    pub const fn language(&self) -> Option<Language> {
        match self {
            Principal::User { language, .. } => *language,
            Principal::ApiKey { .. } => None,
        }
    }

    /// The language of the customer's preferred locale.
    pub const fn customer_language(&self) -> Option<Language> {
        match self {
            Principal::User { customer_language, .. } => *customer_language,
            Principal::ApiKey { .. } => None,
        }
    }

    /// Its name in the audit log.
    pub fn actor(&self) -> String {
        match self {
            Principal::User { email, .. } => email.clone(),
            Principal::ApiKey { name, .. } => format!("api_key:{name}"),
        }
    }
}
