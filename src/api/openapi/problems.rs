//! Every `code` of a problem: its status and meaning. An operation lists its own codes under
//! `x-problems`.

/// A code, its status and its meaning.
pub const PROBLEMS: &[(&str, u16, &str)] = &[
    ("bad_request", 400, "The request is malformed"),
    ("not_utf8", 400, "The query or the body is not UTF-8"),
    ("invalid_body", 400, "The body has the wrong structure"),
    ("invalid_json", 400, "The body is not JSON"),
    ("idempotency_key_missing", 400, "The `Idempotency-Key` is missing; nothing was done"),
    ("idempotency_key_invalid", 400, "The `Idempotency-Key` is not 1 to 255 visible ASCII characters"),
    ("too_many_events", 400, "Too many events in one request; none was stored"),
    ("signature_missing", 400, "The `Stripe-Signature` is missing"),
    ("signature_stale", 400, "The signature's time is outside the tolerance"),
    ("signature_invalid", 400, "The signature matches no active secret"),
    ("unauthenticated", 401, "The request is not authenticated, or its API key is invalid"),
    ("invalid_credentials", 401, "The e-mail address or the password is wrong"),
    ("totp_required", 401, "The password is correct; a code is required"),
    ("invalid_code", 401, "The code is wrong or already used"),
    ("usage_cap_reached", 402, "Every event's metric has reached its cap; nothing was stored"),
    ("cross_site", 403, "The request came from another site"),
    ("forbidden", 403, "The role has no permission"),
    ("totp_enrolment_required", 403, "Staff without a second factor can only open their own account"),
    ("viewing_as", 403, "While viewing as a customer, a change must name the customer"),
    ("not_found", 404, "The object doesn't exist for this caller"),
    ("totp_enabled", 409, "An authenticator app is set up already"),
    ("totp_not_offered", 409, "No authenticator app is pending"),
    ("cap_confirmation_required", 409, "A cap would refuse events from now on; nothing was saved. Repeat with `confirm` set to true"),
    ("no_stripe_customer", 409, "The customer has no Stripe customer yet"),
    ("reconciliation_running", 409, "Another reconciliation is running"),
    ("reconciliation_cancelled", 409, "The reconciliation was cancelled"),
    ("idempotency_in_progress", 409, "The request with this `Idempotency-Key` is still running"),
    ("body_too_large", 413, "The body is too large for this path"),
    ("path_too_long", 414, "The path is too long"),
    ("unsupported_media_type", 415, "This path does not accept this content type or content encoding"),
    ("invalid_parameter", 422, "A parameter or field is invalid; `parameter` names it"),
    ("idempotency_key_reused", 422, "The `Idempotency-Key` belongs to another request"),
    ("rate_limited", 429, "The rate limit of this key, or of this address without authentication, is reached; nothing was stored"),
    ("login_throttled", 429, "Too many failed attempts for this account or from this address; the password was not checked"),
    ("overloaded", 429, "The server is overloaded; nothing in this request was stored"),
    ("internal", 500, "Something went wrong on our side"),
    ("reconciliation_failed", 503, "The reconciliation could not be completed"),
    ("stripe_refused", 502, "Stripe did not accept this"),
    ("billing_disabled", 503, "Billing is switched off; no data is lost"),
    ("usage_ingest_disabled", 503, "Usage ingest is switched off"),
    ("invoice_pdf_disabled", 503, "Invoice PDFs are switched off"),
    ("customer_portal_disabled", 503, "The customer portal is switched off"),
    ("busy", 503, "The service is busy; retry in a moment"),
    ("unavailable", 503, "The database is unavailable; no data is lost. Retry in a minute"),
    ("storage_full", 503, "The storage accepts no writes; nothing in this request was stored. Retry later"),
    ("stripe_not_configured", 503, "No Stripe key is configured"),
    ("stripe_unavailable", 503, "Stripe is unavailable"),
];

/// The row of a code.
pub fn of(code: &str) -> Option<&'static (&'static str, u16, &'static str)> {
    PROBLEMS.iter().find(|(known, ..)| *known == code)
}
