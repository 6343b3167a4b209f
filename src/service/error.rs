//! What can go wrong in a use case. Status, code, `Retry-After` and severity of each error are in
//! `domain::error_code`.

use crate::{
    auth::error::CredentialError,
    domain::{
        alert::{HOW_TO_CONFIRM, ReachedCap, warning},
        error_code::{ErrorCode, Severity},
        features::Feature,
        field_error::{Fault, FieldError, FieldErrors},
    },
    store::{postgres::storage, usage::UsageStoreError},
    stripe::client::StripeError,
    telemetry,
};
use std::borrow::Cow;

pub type Result<T> = std::result::Result<T, Error>;

/// An error that a caller sees. Causes are for the log, and are never shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}", ErrorCode::Unauthenticated.sentence())]
    Unauthenticated,
    #[error("{}", ErrorCode::InvalidCredentials.sentence())]
    InvalidCredentials,
    /// The password was right.
    #[error("{}", ErrorCode::TotpRequired.sentence())]
    TotpRequired,
    #[error("{}", ErrorCode::InvalidCode.sentence())]
    InvalidCode,
    #[error("{}", ErrorCode::TotpEnrolmentRequired.sentence())]
    TotpEnrolmentRequired,
    /// The role that is required.
    #[error("This requires the role {0}. Nothing was done.")]
    Forbidden(&'static str),
    #[error("This requires a signed-in user; API keys may not do it. Nothing was done.")]
    PeopleOnly,
    /// Staff who view as a customer.
    #[error("{}", ErrorCode::ViewingAs.sentence())]
    ViewingAs,
    /// The kind of what is missing.
    #[error("No such {0} exists, or it belongs to another customer.")]
    NotFound(&'static str),
    /// A parameter or field that can't be used.
    #[error("{parameter}: {detail}")]
    Invalid { parameter: Cow<'static, str>, detail: String },
    /// Fields of a form or a body that can't be used, all at once.
    #[error(transparent)]
    InvalidFields(#[from] FieldErrors),
    /// Caps that would refuse events from now on.
    #[error("{} {HOW_TO_CONFIRM}", warning(.0))]
    CapConfirmationRequired(Vec<ReachedCap>),
    /// Any other refusal that a `detail` explains.
    #[error("{detail}")]
    Refused { code: ErrorCode, detail: String },
    /// Every event of a request is of a metric whose cap is reached.
    #[error("{0}")]
    UsageCapReached(String),
    #[error("The body is larger than {limit} bytes. Nothing was stored. Split or shorten it.")]
    TooLarge { limit: usize },
    #[error("The content type is not one of {0}. Nothing was stored.")]
    UnsupportedMediaType(&'static str),
    #[error("The content encoding is not one of {0}. Nothing was stored.")]
    UnsupportedContentEncoding(&'static str),
    #[error("{}", .0.disabled_code().sentence())]
    FeatureDisabled(Feature),
    #[error("{}", ErrorCode::Busy.sentence())]
    Busy,
    /// The process holds too much; nothing of the request was stored.
    #[error("{}", ErrorCode::Overloaded.sentence())]
    Overloaded,
    /// A key has reached its limit; nothing of the request was stored.
    #[error("This key has reached its limit. Nothing in this request was stored. Retry it in {retry_after} s.")]
    RateLimited { retry_after: u64 },
    /// An address has reached the limit of unauthenticated clients.
    #[error("Your address has reached the limit of unauthenticated clients. Nothing was done. Sign in, or retry in {retry_after} s.")]
    AddressLimited { retry_after: u64 },
    /// Against guessing.
    #[error("Too many attempts failed. The password was not checked. Retry in {retry_after} s.")]
    LoginThrottled { retry_after: u64 },
    #[error("{}", ErrorCode::StripeNotConfigured.sentence())]
    StripeNotConfigured,
    /// The cause may name other customers' objects.
    #[error("{}", ErrorCode::StripeUnavailable.sentence())]
    StripeUnavailable(#[source] StripeError),
    #[error("{}", ErrorCode::StripeRefused.sentence())]
    StripeRefused(#[source] StripeError),
    /// A run that ended before it had compared everything, with what it covered.
    #[error("The reconciliation failed: {0}")]
    ReconciliationFailed(String),
    #[error("{}", ErrorCode::IdempotencyKeyReused.sentence())]
    IdempotencyKeyReused,
    #[error("{}", ErrorCode::IdempotencyInProgress.sentence())]
    IdempotencyInProgress,
    /// The database does not answer, or a file or a key that is needed is missing.
    #[error("{}", ErrorCode::Unavailable.sentence())]
    Unavailable(#[source] anyhow::Error),
    /// A write failed because there is no space, or the disk fails.
    #[error("{}", ErrorCode::StorageFull.sentence())]
    StorageFull(#[source] anyhow::Error),
    /// Shows its cause: commands print it. Requests are answered without it.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl Error {
    pub fn invalid(parameter: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Error {
        Error::Invalid { parameter: parameter.into(), detail: detail.into() }
    }

    /// One field of a form or a body.
    pub fn invalid_field(field: impl Into<String>, detail: impl Into<String>, fault: Fault) -> Error {
        Error::InvalidFields(FieldError::new(field, detail, fault).into())
    }

    pub fn refused(code: ErrorCode, detail: impl Into<String>) -> Error {
        Error::Refused { code, detail: detail.into() }
    }

    pub const fn code(&self) -> ErrorCode {
        match self {
            Error::Unauthenticated => ErrorCode::Unauthenticated,
            Error::InvalidCredentials => ErrorCode::InvalidCredentials,
            Error::Forbidden(_) | Error::PeopleOnly => ErrorCode::Forbidden,
            Error::TotpRequired => ErrorCode::TotpRequired,
            Error::InvalidCode => ErrorCode::InvalidCode,
            Error::TotpEnrolmentRequired => ErrorCode::TotpEnrolmentRequired,
            Error::ViewingAs => ErrorCode::ViewingAs,
            Error::NotFound(_) => ErrorCode::NotFound,
            Error::Invalid { .. } | Error::InvalidFields(_) => ErrorCode::InvalidParameter,
            Error::CapConfirmationRequired(_) => ErrorCode::CapConfirmationRequired,
            Error::Refused { code, .. } => *code,
            Error::IdempotencyKeyReused => ErrorCode::IdempotencyKeyReused,
            Error::IdempotencyInProgress => ErrorCode::IdempotencyInProgress,
            Error::UsageCapReached(_) => ErrorCode::UsageCapReached,
            Error::TooLarge { .. } => ErrorCode::BodyTooLarge,
            Error::UnsupportedMediaType(_) | Error::UnsupportedContentEncoding(_) => ErrorCode::UnsupportedMediaType,
            Error::FeatureDisabled(feature) => feature.disabled_code(),
            Error::Busy => ErrorCode::Busy,
            Error::Unavailable(_) => ErrorCode::Unavailable,
            Error::StorageFull(_) => ErrorCode::StorageFull,
            Error::Overloaded => ErrorCode::Overloaded,
            Error::RateLimited { .. } | Error::AddressLimited { .. } => ErrorCode::RateLimited,
            Error::LoginThrottled { .. } => ErrorCode::LoginThrottled,
            Error::StripeNotConfigured => ErrorCode::StripeNotConfigured,
            Error::StripeUnavailable(_) => ErrorCode::StripeUnavailable,
            Error::StripeRefused(_) => ErrorCode::StripeRefused,
            Error::ReconciliationFailed(_) => ErrorCode::ReconciliationFailed,
            Error::Internal(_) => ErrorCode::Internal,
        }
    }

    /// HTTP status (RFC 9110).
    pub const fn status(&self) -> u16 {
        self.code().status()
    }

    /// Seconds after which the request may be sent again, where waiting helps.
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Error::RateLimited { retry_after } | Error::AddressLimited { retry_after } | Error::LoginThrottled { retry_after } => {
                Some(*retry_after)
            }
            other => other.code().seconds(),
        }
    }

    /// What the caller reads: nothing of the inside.
    pub fn detail(&self) -> String {
        match self {
            Error::Internal(_) => ErrorCode::Internal.sentence().to_owned(),
            other => other.to_string(),
        }
    }

    /// The parameter or field that is invalid, if that is the error.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Error::Invalid { parameter, .. } => Some(parameter),
            Error::InvalidFields(errors) => Some(errors.first()),
            _ => None,
        }
    }

    /// The invalid fields of a form or a body.
    pub fn fields(&self) -> &[FieldError] {
        if let Error::InvalidFields(errors) = self { errors.as_slice() } else { &[] }
    }

    /// Logs the error with its cause, at the level of its severity.
    pub fn log(&self) {
        let (code, error) = (self.code().as_str(), self.chain());
        match self.code().severity() {
            Severity::Fault => tracing::error!(code, error, "request failed"),
            Severity::Failure => tracing::warn!(code, error, "request failed temporarily"),
            Severity::Expected => tracing::debug!(code, error, "request refused"),
        }
    }

    /// The causes, outermost first; of an error without one, itself.
    fn chain(&self) -> String {
        match self {
            Error::Internal(cause) | Error::Unavailable(cause) | Error::StorageFull(cause) => format!("{cause:#}"),
            Error::StripeUnavailable(cause) | Error::StripeRefused(cause) => cause.to_string(),
            other => other.to_string(),
        }
    }
}

impl From<CredentialError> for Error {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Refused { detail, fault } => Error::invalid_field("password", detail, fault),
            unavailable @ CredentialError::Unavailable(_) => Error::Unavailable(unavailable.into()),
            CredentialError::Internal(error) => Error::Internal(error),
        }
    }
}

impl From<StripeError> for Error {
    fn from(error: StripeError) -> Self {
        if error.is_final() { Error::StripeRefused(error) } else { Error::StripeUnavailable(error) }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => {
                metrics::counter!(telemetry::DATABASE_POOL_TIMEOUTS).increment(1);
                Error::Busy
            }
            other if storage::is_full(&other) => {
                storage::note(&other);
                Error::StorageFull(other.into())
            }
            other if is_away(&other) => Error::Unavailable(other.into()),
            other => Error::Internal(other.into()),
        }
    }
}

/// Whether the database does not answer, stops or starts, rather than the statement being wrong.
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        // Connection exceptions, operator interventions, insufficient resources (Appendix A of
        // PostgreSQL's documentation).
        other if storage::lacks_resources(other) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P")),
        _ => false,
    }
}

impl From<UsageStoreError> for Error {
    fn from(error: UsageStoreError) -> Self {
        match error {
            UsageStoreError::Postgres(error) => error.into(),
            // Waiting helps.
            other if other.is_of_clickhouse() => Error::Unavailable(other.into()),
            other => Error::Internal(other.into()),
        }
    }
}
