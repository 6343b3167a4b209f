//! What can go wrong in a use case: each error knows its status, its stable code and what a person should read.

use crate::{
    auth::error::CredentialError,
    domain::features::Feature,
    store::{postgres::storage, usage::UsageStoreError},
    stripe::client::StripeError,
    telemetry,
};
use std::borrow::Cow;

pub type Result<T> = std::result::Result<T, Error>;

/// An error that a caller sees. `Internal` keeps its cause for the log and shows nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("sign in first")]
    Unauthenticated,
    #[error("the e-mail address or the password is wrong")]
    InvalidCredentials,
    /// The password was right.
    #[error("a code of the authenticator app, or a recovery code, has to follow")]
    TotpRequired,
    #[error("the code is wrong, or was used before")]
    InvalidCode,
    #[error("staff of this platform sign in with a second factor: set one up under /account")]
    TotpEnrolmentRequired,
    #[error("this needs the role {0}")]
    Forbidden(&'static str),
    #[error("this is for people who sign in, not for keys")]
    PeopleOnly,
    /// Staff who view as a customer.
    #[error("viewing as a customer changes nothing of it; stop viewing first, or name the customer by customer_id")]
    ViewingAs,
    #[error("no such {0}")]
    NotFound(&'static str),
    /// A parameter or field that can't be used.
    #[error("{parameter}: {detail}")]
    Invalid { parameter: Cow<'static, str>, detail: String },
    /// A request that can't be read at all.
    #[error("{detail}")]
    BadRequest { code: &'static str, detail: String },
    /// Every event of a request is of a metric whose cap is reached.
    #[error("{0}")]
    UsageCapReached(String),
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the content type is not one of {0}")]
    UnsupportedMediaType(&'static str),
    #[error("the content encoding is not one of {0}; nothing of this request was stored")]
    UnsupportedContentEncoding(&'static str),
    #[error("{} is switched off at the moment", .0.title())]
    FeatureDisabled(Feature),
    #[error("the service is busy; try again in a moment")]
    Busy,
    /// Too much is in the process already; nothing of the request was taken.
    #[error("more comes in than can be taken at the moment; nothing of this request was taken, send it again")]
    Overloaded,
    /// One key has had its part; nothing of the request was taken.
    #[error("this key sends more than it may; nothing of this request was taken, send it again in {retry_after} s")]
    RateLimited { retry_after: u64 },
    /// One address has had its part without signing in.
    #[error("more requests come from your address than may without signing in; try again in {retry_after} s")]
    AddressLimited { retry_after: u64 },
    /// Whoever guesses waits; the password was not looked at.
    #[error("too many attempts did not succeed; try again in {retry_after} s")]
    LoginThrottled { retry_after: u64 },
    #[error("this platform is not connected to Stripe")]
    StripeNotConfigured,
    /// The cause is for the log: it may name what is none of the caller's business.
    #[error("Stripe can't be reached at the moment; try again in a minute")]
    StripeUnavailable(#[source] StripeError),
    #[error("Stripe did not accept this")]
    StripeRefused(#[source] StripeError),
    /// A run that ended before it had seen everything, with what it covered.
    #[error("the reconciliation failed: {0}")]
    ReconciliationFailed(String),
    /// Another request was sent under the key before.
    #[error("this Idempotency-Key was sent with another request; send another key")]
    IdempotencyKeyReused,
    /// The first request under the key has not ended.
    #[error("the request with this Idempotency-Key is still running; send it again in a moment for its answer")]
    IdempotencyInProgress,
    /// What is asked for does not go with how things stand.
    #[error("{detail}")]
    Conflict { code: &'static str, detail: String },
    /// The database is away, or a file or a key that is needed. The cause is for the log.
    #[error("the service can't reach its data at the moment; nothing is lost, try again in a minute")]
    Unavailable(#[source] anyhow::Error),
    /// A write failed for want of space, or the disk fails. The cause is for the log.
    #[error("the server's storage takes no writes at the moment; nothing in this request was stored; retry it later")]
    StorageFull(#[source] anyhow::Error),
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl Error {
    pub fn invalid(parameter: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Error {
        Error::Invalid { parameter: parameter.into(), detail: detail.into() }
    }

    /// HTTP status (RFC 9110).
    pub const fn status(&self) -> u16 {
        match self {
            Error::BadRequest { .. } => 400,
            Error::Unauthenticated | Error::InvalidCredentials | Error::TotpRequired | Error::InvalidCode => 401,
            Error::UsageCapReached(_) => 402,
            Error::Forbidden(_) | Error::PeopleOnly | Error::ViewingAs | Error::TotpEnrolmentRequired => 403,
            Error::NotFound(_) => 404,
            Error::TooLarge { .. } => 413,
            Error::UnsupportedMediaType(_) | Error::UnsupportedContentEncoding(_) => 415,
            Error::Conflict { .. } | Error::IdempotencyInProgress => 409,
            Error::Invalid { .. } | Error::IdempotencyKeyReused => 422,
            Error::Overloaded | Error::RateLimited { .. } | Error::AddressLimited { .. } | Error::LoginThrottled { .. } => 429,
            Error::Internal(_) => 500,
            Error::StripeRefused(_) => 502,
            Error::FeatureDisabled(_)
            | Error::Busy
            | Error::Unavailable(_)
            | Error::StorageFull(_)
            | Error::StripeNotConfigured
            | Error::StripeUnavailable(_)
            | Error::ReconciliationFailed(_) => 503,
        }
    }

    /// Stable and documented; programs decide by it.
    pub const fn code(&self) -> &'static str {
        match self {
            Error::Unauthenticated => "unauthenticated",
            Error::InvalidCredentials => "invalid_credentials",
            Error::Forbidden(_) | Error::PeopleOnly => "forbidden",
            Error::TotpRequired => "totp_required",
            Error::InvalidCode => "invalid_code",
            Error::TotpEnrolmentRequired => "totp_enrolment_required",
            Error::ViewingAs => "viewing_as",
            Error::NotFound(_) => "not_found",
            Error::Invalid { .. } => "invalid_parameter",
            Error::BadRequest { code, .. } | Error::Conflict { code, .. } => code,
            Error::IdempotencyKeyReused => "idempotency_key_reused",
            Error::IdempotencyInProgress => "idempotency_in_progress",
            Error::UsageCapReached(_) => "usage_cap_reached",
            Error::TooLarge { .. } => "body_too_large",
            Error::UnsupportedMediaType(_) | Error::UnsupportedContentEncoding(_) => "unsupported_media_type",
            Error::FeatureDisabled(feature) => feature.disabled_code(),
            Error::Busy => "busy",
            Error::Unavailable(_) => "unavailable",
            Error::StorageFull(_) => "storage_full",
            Error::Overloaded => "overloaded",
            Error::RateLimited { .. } | Error::AddressLimited { .. } => "rate_limited",
            Error::LoginThrottled { .. } => "login_throttled",
            Error::StripeNotConfigured => "stripe_not_configured",
            Error::StripeUnavailable(_) => "stripe_unavailable",
            Error::StripeRefused(_) => "stripe_refused",
            Error::ReconciliationFailed(_) => "reconciliation_failed",
            Error::Internal(_) => "internal",
        }
    }
}

impl Error {
    /// Seconds after which asking again may help, where that is known.
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Error::Overloaded | Error::IdempotencyInProgress => Some(1),
            Error::RateLimited { retry_after } | Error::AddressLimited { retry_after } | Error::LoginThrottled { retry_after } => {
                Some(*retry_after)
            }
            Error::StorageFull(_) => Some(60),
            _ => None,
        }
    }
}

impl From<CredentialError> for Error {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Refused(detail) => Error::invalid("password", detail),
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

/// Is it the database that is not there, stops or starts, and nothing that is wrong with the statement?
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        // Connection exceptions, operator interventions, insufficient resources (Appendix A of PostgreSQL's documentation).
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
