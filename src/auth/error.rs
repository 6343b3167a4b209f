//! Why a password can't be used, or can't be checked.

use crate::domain::field_error::Fault;
use std::{borrow::Cow, io};

pub type Result<T> = std::result::Result<T, CredentialError>;

/// An error of this module; `service::Error` has a conversion from it.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The new password is refused. `detail`: the reason, as a predicate of "the password".
    #[error("password {detail}")]
    Refused { detail: Cow<'static, str>, fault: Fault },
    /// The file of breached passwords can't be read. Retrying helps once it can.
    #[error("BREACHED_PASSWORDS_FILE can't be read")]
    Unavailable(#[source] io::Error),
    /// The program is at fault, or shutting down.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}
