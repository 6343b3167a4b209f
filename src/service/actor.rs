//! The actor of a change and the request's origin, for the audit log.

use crate::{domain::identity::CustomerId, store::postgres::audit::Entry};
use serde_json::Value;

/// Origin of a request.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

impl Origin {
    /// The audit log's entry of what an actor does from here.
    pub fn entry<'a>(&'a self, event_type: &'a str, actor: &'a str, customer: Option<CustomerId>, data: Value) -> Entry<'a> {
        Entry { event_type, actor, customer, data, ip_address: self.ip_address.as_deref(), user_agent: self.user_agent.as_deref() }
    }
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

    /// The audit log's entry of a change.
    pub fn entry<'a>(&'a self, event_type: &'a str, customer: Option<CustomerId>, data: Value) -> Entry<'a> {
        self.origin.entry(event_type, &self.actor, customer, data)
    }
}

/// The audit log's actor of changes that the platform makes itself.
pub(super) const SYSTEM: &str = "system";

/// The audit log's entry of a change that the platform makes itself.
pub(super) fn system_entry(event_type: &str, customer: Option<CustomerId>, data: Value) -> Entry<'_> {
    Entry { event_type, actor: SYSTEM, customer, data, ip_address: None, user_agent: None }
}

/// Longest e-mail address that is looked up.
pub const MAX_EMAIL_BYTES: usize = 320;

/// An unauthenticated client's e-mail address as the audit log stores it: bounded, without control
/// characters.
pub(super) fn shown_email(email: &str) -> String {
    email.chars().filter(|c| !c.is_control()).take(MAX_EMAIL_BYTES).collect()
}
