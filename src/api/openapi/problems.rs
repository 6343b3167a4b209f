//! Every `code` that a problem may have: its status, and what it means. An operation names those that are its own under `x-problems`.

/// A code, its status and its meaning.
pub const PROBLEMS: &[(&str, u16, &str)] = &[
    ("bad_request", 400, "The request can't be read"),
    ("not_utf8", 400, "The query or the body is not UTF-8"),
    ("invalid_body", 400, "The body does not hold what is wanted"),
    ("invalid_json", 400, "The body is not JSON"),
    ("idempotency_key_missing", 400, "There is no `Idempotency-Key`; nothing was done"),
    ("idempotency_key_invalid", 400, "The `Idempotency-Key` is not 1 to 255 visible ASCII characters"),
    ("too_many_events", 400, "More events than one request may bring; none was taken"),
    ("signature_missing", 400, "There is no `Stripe-Signature`"),
    ("signature_stale", 400, "The signature's time is too far off"),
    ("signature_invalid", 400, "No active secret makes this signature"),
    ("unauthenticated", 401, "Nobody is signed in, or the key is not known"),
    ("invalid_credentials", 401, "The e-mail address or the password is wrong"),
    ("totp_required", 401, "The password is right; a code has to follow"),
    ("invalid_code", 401, "The code is wrong, or was used before"),
    ("usage_cap_reached", 402, "Every item is an event of a metric whose cap is reached; nothing was stored"),
    ("cross_site", 403, "The request came from another site"),
    ("forbidden", 403, "The role does not suffice"),
    ("totp_enrolment_required", 403, "Staff without a second factor reaches its own account only"),
    ("viewing_as", 403, "Whoever views as a customer changes nothing of it unless it names it"),
    ("not_found", 404, "There is no such object for whoever asks"),
    ("totp_enabled", 409, "An authenticator app is set up already"),
    ("totp_not_offered", 409, "No authenticator app waits for its first code"),
    (
        "cap_confirmation_required",
        409,
        "A cap would refuse events from now on; nothing was saved, send it again with `confirm` set to true",
    ),
    ("no_stripe_customer", 409, "Stripe does not know the customer yet"),
    ("reconciliation_running", 409, "Another comparison is running"),
    ("reconciliation_cancelled", 409, "The comparison was ended early"),
    ("idempotency_in_progress", 409, "The request of this `Idempotency-Key` is still running"),
    ("body_too_large", 413, "The body is larger than this path takes"),
    ("unsupported_media_type", 415, "This path does not take this content type or content encoding"),
    ("invalid_parameter", 422, "A parameter or field can't be used; `parameter` names it"),
    ("idempotency_key_reused", 422, "The `Idempotency-Key` belongs to another request"),
    ("rate_limited", 429, "This key, or this address without signing in, has had its part; nothing of the request was taken"),
    ("login_throttled", 429, "Too many attempts at this account or from this address failed; the password was not looked at"),
    ("overloaded", 429, "More comes in than can be taken; nothing of the request was taken"),
    ("internal", 500, "Something went wrong on our side"),
    ("reconciliation_failed", 503, "The comparison could not be completed"),
    ("stripe_refused", 502, "Stripe did not accept this"),
    ("billing_disabled", 503, "Billing is switched off at the moment; nothing is lost"),
    ("usage_ingest_disabled", 503, "Taking usage is switched off at the moment"),
    ("invoice_pdf_disabled", 503, "PDFs are switched off at the moment"),
    ("customer_portal_disabled", 503, "Stripe's portal is switched off at the moment"),
    ("busy", 503, "The service is busy; ask again in a moment"),
    ("unavailable", 503, "The service can't reach its data at the moment; nothing is lost, ask again in a minute"),
    ("stripe_not_configured", 503, "The platform is not connected to Stripe"),
    ("stripe_unavailable", 503, "Stripe can't be reached at the moment"),
];

/// What stands in the table of a code.
pub fn of(code: &str) -> Option<&'static (&'static str, u16, &'static str)> {
    PROBLEMS.iter().find(|(known, ..)| *known == code)
}
