//! The actor of a change and the request's origin, for the audit log.

use crate::{domain::identity::CustomerId, store::postgres::audit::Entry};

/// Origin of a request.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

/// The actor of a change.
#[derive(Clone, Debug)]
pub struct By {
    pub actor: String,
    pub origin: Origin,
}

impl By {
    /// The platform itself: a job, or a command on the server's machine.
    pub fn system() -> By {
        By { actor: SYSTEM.to_owned(), origin: Origin::default() }
    }

    /// The audit log's entry of a change to a customer.
    pub fn entry<'a>(&'a self, event_type: &'a str, customer: CustomerId, data: serde_json::Value) -> Entry<'a> {
        Entry {
            event_type,
            actor: &self.actor,
            customer: Some(customer),
            data,
            ip_address: self.origin.ip_address.as_deref(),
            user_agent: self.origin.user_agent.as_deref(),
        }
    }
}

/// The audit log's actor of changes that the platform makes itself.
pub(super) const SYSTEM: &str = "system";

/// The audit log's entry of a change that the platform makes itself.
pub(super) fn system_entry(event_type: &str, customer: Option<CustomerId>, data: serde_json::Value) -> Entry<'_> {
    Entry { event_type, actor: SYSTEM, customer, data, ip_address: None, user_agent: None }
}

/// Longest e-mail address that is looked up.
pub const MAX_EMAIL_BYTES: usize = 320;

/// An unauthenticated client's e-mail address as the audit log stores it: bounded, without control
/// characters.
pub(super) fn shown_email(email: &str) -> String {
    email.chars().filter(|c| !c.is_control()).take(MAX_EMAIL_BYTES).collect()
}
