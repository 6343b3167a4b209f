//! Every error code of the API in one table: its status, its `Retry-After`, its severity, and what
//! a caller reads.
//!
//! The errors of use cases (`service::Error`), problem+json, the OpenAPI document and the table in
//! `docs/guide/api-conventions.md` are made from this table. To add a code, add a row.

use serde::{Serialize, Serializer};
use std::fmt;

/// When a client may send the request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Waiting does not help.
    Never,
    /// After this many seconds.
    Seconds(u64),
    /// After as many seconds as the error says.
    Varies,
}

/// How the server treats an error that it answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The client's mistake, or intended by an operator: logged as DEBUG, counted by no alert.
    Expected,
    /// A temporary failure outside of the request: logged as WARN. As a 5xx it counts as a server
    /// error.
    Failure,
    /// The server or what it depends on is broken: logged as ERROR with the cause. Counts as a
    /// server error.
    Fault,
}

macro_rules! error_codes {
    ($($variant:ident $code:literal $status:literal $retry:ident $(($seconds:literal))? $severity:ident $meaning:literal $action:literal;)*) => {
        /// A stable code, which programs decide by. A code is never renamed or removed, and its
        /// status never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode {
            $(#[doc = $meaning] $variant,)*
        }

        impl ErrorCode {
            /// In the order of the table: by status.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant,)*];

            /// As the API writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $code,)* }
            }

            /// HTTP status (RFC 9110).
            pub const fn status(self) -> u16 {
                match self { $(ErrorCode::$variant => $status,)* }
            }

            pub const fn retry_after(self) -> RetryAfter {
                match self { $(ErrorCode::$variant => RetryAfter::$retry $(($seconds))?,)* }
            }

            pub const fn severity(self) -> Severity {
                match self { $(ErrorCode::$variant => Severity::$severity,)* }
            }

            /// What happened, and what it means for the request.
            pub const fn meaning(self) -> &'static str {
                match self { $(ErrorCode::$variant => $meaning,)* }
            }

            /// What the caller does about it.
            pub const fn action(self) -> &'static str {
                match self { $(ErrorCode::$variant => $action,)* }
            }

            /// Meaning and action: the `detail` of an error that has nothing more specific to say.
            pub const fn sentence(self) -> &'static str {
                match self { $(ErrorCode::$variant => concat!($meaning, " ", $action),)* }
            }
        }
    };
}

error_codes! {
    BadRequest "bad_request" 400 Never Expected
        "The request is malformed." "Correct it.";
    NotUtf8 "not_utf8" 400 Never Expected
        "The query or the body is not UTF-8." "Encode it as UTF-8.";
    InvalidBody "invalid_body" 400 Never Expected
        "The body lacks a required field, or has a field of the wrong type." "Correct the body.";
    InvalidJson "invalid_json" 400 Never Expected
        "The body is not JSON." "Correct the body.";
    IdempotencyKeyMissing "idempotency_key_missing" 400 Never Expected
        "The endpoint requires an `Idempotency-Key`. Nothing was done." "Send one, a new one for each new request.";
    IdempotencyKeyInvalid "idempotency_key_invalid" 400 Never Expected
        "The `Idempotency-Key` is not 1 to 255 visible ASCII characters. Nothing was done." "Send a valid one.";
    TooManyEvents "too_many_events" 400 Never Expected
        "The request has more than 10,000 usage events. Nothing was stored." "Split it.";
    SignatureMissing "signature_missing" 400 Never Expected
        "There is no `Stripe-Signature`. The event was not stored." "Send Stripe's requests unchanged.";
    SignatureStale "signature_stale" 400 Never Expected
        "The time of the signature is more than 300 s off. The event was not stored." "Check the clocks.";
    SignatureInvalid "signature_invalid" 400 Never Expected
        "The signature matches no active secret. The event was not stored." "Compare `STRIPE_WEBHOOK_SECRET` with the endpoint's secret.";
    NoClickhouse "no_clickhouse" 400 Never Expected
        "Usage events can't be moved: there is no ClickHouse (command line only)." "Set `CLICKHOUSE_URL`.";
    Unauthenticated "unauthenticated" 401 Never Expected
        "There is no session, or the key is unknown." "Sign in, or send a valid key.";
    InvalidCredentials "invalid_credentials" 401 Never Expected
        "The e-mail address or the password is wrong." "Check both.";
    TotpRequired "totp_required" 401 Never Expected
        "The password is right. A second factor is required." "Send a code of the authenticator app, or a recovery code.";
    InvalidCode "invalid_code" 401 Never Expected
        "The code is wrong, or was used before." "Send the code that the authenticator app shows now.";
    UsageCapReached "usage_cap_reached" 402 Never Expected
        "Every item is an event of a metric whose cap is reached. Nothing was stored." "Send it again when the cap is lifted.";
    CrossSite "cross_site" 403 Never Expected
        "The request came from another site. Nothing was done." "Send it from this platform's own pages.";
    Forbidden "forbidden" 403 Never Expected
        "The role does not allow this. Nothing was done." "Ask an administrator of your account.";
    TotpEnrolmentRequired "totp_enrolment_required" 403 Never Expected
        "Staff without a second factor reaches only its own account." "Set one up under `/account`.";
    ViewingAs "viewing_as" 403 Never Expected
        "A session that views as a customer changes nothing of it. Nothing was done." "Stop viewing, or name `customer_id`.";
    NotFound "not_found" 404 Never Expected
        "The object or the path does not exist, or belongs to another customer." "Check the id and the path.";
    MethodNotAllowed "method_not_allowed" 405 Never Expected
        "The path does not support the method." "Use one of those that `Allow` lists.";
    Timeout "timeout" 408 Never Expected
        "The request took too long." "Send it again.";
    TotpEnabled "totp_enabled" 409 Never Expected
        "An authenticator app is set up already. Nothing was changed." "Remove it first.";
    TotpNotOffered "totp_not_offered" 409 Never Expected
        "No authenticator app waits for its first code." "Start the set-up again.";
    CapConfirmationRequired "cap_confirmation_required" 409 Never Expected
        "The cap would refuse events from now on. Nothing was saved." "Send it again with `\"confirm\": true`.";
    NoStripeCustomer "no_stripe_customer" 409 Never Expected
        "The customer does not exist in Stripe yet." "Try again after its first subscription.";
    CustomerLinked "customer_linked" 409 Never Expected
        "The customer is linked to a customer of Stripe already (command line only). Nothing was changed." "Check both ids.";
    ReconciliationRunning "reconciliation_running" 409 Never Expected
        "Another run of this scope is in progress. Nothing was started." "Wait until it ends, or cancel it.";
    ReconciliationCancelled "reconciliation_cancelled" 409 Never Expected
        "The run was cancelled." "Start another one.";
    IdempotencyInProgress "idempotency_in_progress" 409 Seconds(1) Expected
        "The first request with this `Idempotency-Key` is still running." "Send it again for its answer.";
    BodyTooLarge "body_too_large" 413 Never Expected
        "The body is larger than the path accepts. Nothing was stored." "Split or shorten it.";
    PathTooLong "path_too_long" 414 Never Expected
        "The path is longer than any path that is served." "Check the path.";
    UnsupportedMediaType "unsupported_media_type" 415 Never Expected
        "The path does not accept this content type or content encoding. Nothing was stored." "Use one that it accepts.";
    InvalidParameter "invalid_parameter" 422 Never Expected
        "A parameter or field is invalid; `parameter` names it." "Correct it.";
    IdempotencyKeyReused "idempotency_key_reused" 422 Never Expected
        "The `Idempotency-Key` belongs to another request. Nothing was done." "Send another key.";
    RateLimited "rate_limited" 429 Varies Expected
        "The key, or the address of an unauthenticated client, has reached its limit. Nothing was stored." "Retry after `Retry-After`.";
    LoginThrottled "login_throttled" 429 Varies Expected
        "Too many attempts at this account or from this address failed. The password was not checked." "Retry after `Retry-After`.";
    Overloaded "overloaded" 429 Seconds(1) Expected
        "The server is overloaded; nothing in this request was stored." "Retry it.";
    Internal "internal" 500 Never Fault
        "Something went wrong on our side." "Quote the request id when you ask for help.";
    StripeRefused "stripe_refused" 502 Never Failure
        "Stripe refused the request." "Quote the request id when you ask for help.";
    BillingDisabled "billing_disabled" 503 Seconds(300) Expected
        "Billing is switched off. Usage and webhooks are still stored." "Retry it later.";
    UsageIngestDisabled "usage_ingest_disabled" 503 Seconds(300) Expected
        "Usage ingest is switched off. Nothing was stored." "Store the events, and retry them later.";
    InvoicePdfDisabled "invoice_pdf_disabled" 503 Seconds(300) Expected
        "PDFs are switched off." "Retry it later.";
    CustomerPortalDisabled "customer_portal_disabled" 503 Seconds(300) Expected
        "Stripe's portal is switched off." "Retry it later.";
    Busy "busy" 503 Seconds(1) Failure
        "The service is busy." "Retry in a moment.";
    Unavailable "unavailable" 503 Seconds(10) Fault
        "The service can't reach its data. Nothing is lost." "Retry in a moment.";
    StorageFull "storage_full" 503 Seconds(60) Fault
        "The storage accepts no writes; nothing in this request was stored." "Retry it later.";
    StripeNotConfigured "stripe_not_configured" 503 Never Expected
        "The platform is not connected to Stripe." "An operator has to set `STRIPE_SECRET_KEY`.";
    StripeUnavailable "stripe_unavailable" 503 Seconds(60) Failure
        "Stripe does not answer." "Retry in a minute.";
    ReconciliationFailed "reconciliation_failed" 503 Seconds(60) Failure
        "The run could not be completed; `detail` says what it covered." "Start another one.";
}

impl ErrorCode {
    pub fn parse(code: &str) -> Option<ErrorCode> {
        ErrorCode::ALL.iter().copied().find(|known| known.as_str() == code)
    }

    /// The code of an answer that was made without one: by the framework or a proxy.
    pub const fn of_status(status: u16) -> ErrorCode {
        match status {
            404 => ErrorCode::NotFound,
            405 => ErrorCode::MethodNotAllowed,
            408 => ErrorCode::Timeout,
            413 => ErrorCode::BodyTooLarge,
            414 => ErrorCode::PathTooLong,
            415 => ErrorCode::UnsupportedMediaType,
            400..500 => ErrorCode::BadRequest,
            503 => ErrorCode::Busy,
            _ => ErrorCode::Internal,
        }
    }

    /// The value of `Retry-After`, where it does not vary.
    pub const fn seconds(self) -> Option<u64> {
        match self.retry_after() {
            RetryAfter::Seconds(seconds) => Some(seconds),
            RetryAfter::Never | RetryAfter::Varies => None,
        }
    }

    /// The table of `docs/guide/api-conventions.md`.
    pub fn markdown_table() -> String {
        let mut table = "| status | code | `Retry-After` | meaning | what to do |\n| --- | --- | --- | --- | --- |\n".to_owned();
        for code in ErrorCode::ALL {
            let retry_after = match code.retry_after() {
                RetryAfter::Never => String::new(),
                RetryAfter::Seconds(seconds) => seconds.to_string(),
                RetryAfter::Varies => "varies".to_owned(),
            };
            let (status, meaning, action) = (code.status(), code.meaning(), code.action());
            table.push_str(&format!("| {status} | `{code}` | {retry_after} | {meaning} | {action} |\n"));
        }
        table
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_in_the_order_of_status() {
        let codes: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), ErrorCode::ALL.len());
        assert!(ErrorCode::ALL.is_sorted_by_key(|code| code.status()));
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.as_str()), Some(*code));
        }
        assert_eq!(ErrorCode::parse("no_such_code"), None);
    }

    /// `docs/guide/api-conventions.md`: a 429 or 503 says when to retry, unless waiting does not
    /// help.
    #[test]
    fn each_429_and_503_has_a_retry_after() {
        for code in ErrorCode::ALL.iter().filter(|code| matches!(code.status(), 429 | 503)) {
            assert_eq!(code.retry_after() == RetryAfter::Never, *code == ErrorCode::StripeNotConfigured, "{code}");
        }
    }

    #[test]
    fn client_errors_are_expected() {
        for code in ErrorCode::ALL.iter().filter(|code| code.status() < 500) {
            assert_eq!(code.severity(), Severity::Expected, "{code}");
        }
    }

    #[test]
    fn sentences_are_short_and_end() {
        for code in ErrorCode::ALL {
            for text in [code.meaning(), code.action()] {
                assert!(text.ends_with('.') && text.starts_with(|c: char| c.is_uppercase() || c == '`'), "{code}: {text}");
                assert!(text.split(". ").all(|sentence| sentence.split(' ').count() <= 25), "{code}: {text}");
            }
        }
    }

    #[test]
    fn a_status_without_a_code_gets_one_of_its_class() {
        for status in 400..600 {
            let code = ErrorCode::of_status(status);
            assert_eq!(code.status() / 100, status / 100, "{status}");
        }
    }
}
