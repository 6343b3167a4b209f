//! The recorder behind `/metrics`: which buckets, what each metric means, and which counters stand at zero before anything happens, so that
//! the first failure is an increase and not a beginning.

use super::*;
use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Around the targets of the deployment checklist: 0.5 s for usage, 1 s for invoices, 2 s for a page or a PDF, 3 s for its download.
const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0];
/// Stripe's clock to ours: seconds when all is well, days after an outage.
const LAG_SECONDS: [f64; 8] = [1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 86400.0];
/// A job may take a moment or an hour.
const JOB_BUCKETS: [f64; 10] = [0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];

/// Installs the recorder of this process.
///
/// # Errors
/// There is one already.
pub fn recorder() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(WEBHOOK_LAG_SECONDS.into()), &LAG_SECONDS)?
        .set_buckets_for_metric(Matcher::Full(JOB_SECONDS.into()), &JOB_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(RECONCILE_SECONDS.into()), &JOB_BUCKETS)?
        .install_recorder()
        .context("metrics")?;
    describe();
    begin();
    Ok(handle)
}

fn describe() {
    for (name, help) in [
        (WEBHOOK_EVENTS, "Stripe events by type and result"),
        (WEBHOOK_SIGNATURE_FAILURES, "Webhook deliveries refused for their signature, by reason"),
        (WEBHOOK_TIES, "Seconds of an object whose events don't say which came last, by resolution"),
        (STRIPE_REQUESTS, "Requests to Stripe by operation and result"),
        (STRIPE_RETRIES, "Tries of requests to Stripe beyond the first, by operation"),
        (STRIPE_BACKFILL, "What was read from Stripe instead of waiting for it, by stream and result"),
        (USAGE_EVENTS, "Usage events by result"),
        (USAGE_REQUESTS_REFUSED, "Requests with usage events refused before they were read, by reason"),
        (USAGE_BILLED_CHANGES, "Metrics of billed periods whose usage changed after the invoice"),
        (USAGE_METER_EVENTS, "Parts of hours that Stripe's billing meters were told of, by result"),
        (USAGE_ALERTS, "Usage alerts that fired, by kind"),
        (IDEMPOTENT_REQUESTS, "Requests under an idempotency key, by result"),
        (MAILS, "Mails by result"),
        (HTTP_RESPONSES, "Answers by route, method and class of their status"),
        (HTTP_REQUESTS_LIMITED, "Requests without anybody signed in that were refused for their address"),
        (HTTP_SERVER_ERRORS, "Answers of 500 and above that nobody meant to give, by surface"),
        (INVOICE_PAYMENT_FAILURES, "Payments of invoices that Stripe said failed"),
        (INVOICE_SUMS_UNEXPLAINED, "Invoices shown with sums that Stripe's figures do not explain"),
        (PDF_RENDERS, "Invoices rendered as PDF, by result"),
        (RECONCILE_RUNS, "Reconciliations that ended in this process, by result"),
        (JOB_RUNS, "Runs of background jobs by name and result"),
        (LOGINS, "Sign-ins by result"),
        (IDEMPOTENT_REQUESTS, "Requests under an idempotency key, by result"),
        (DATABASE_POOL_TIMEOUTS, "Requests and runs that got no database connection in time"),
        (DATABASE_STORAGE_REFUSALS, "Writes that the database refused since its disk was full or failed"),
        (HTTP_CONNECTIONS_REFUSED, "Connections closed at once, since their address had its share"),
        (DATABASE_MIGRATION_FAILURES, "Migrations that failed, of whichever process, as the database remembers them"),
    ] {
        metrics::describe_counter!(name, help);
    }
    for (name, help) in [
        (WEBHOOK_INBOX_EVENTS, "Stored Stripe events that are not settled, by status"),
        (WEBHOOK_INBOX_OLDEST_SECONDS, "Age of the oldest stored Stripe event that was never tried"),
        (HTTP_CONNECTIONS, "Connections to the public address that are open"),
        (STRIPE_CIRCUIT, "Whether Stripe is asked: 0 yes, 1 one request tries, 2 no"),
        (USAGE_BYTES_IN_FLIGHT, "Bytes of the requests with usage events that are in the process now"),
        (USAGE_BEHIND_SECONDS, "For how long the oldest accepted usage event has been waiting to be in the figures"),
        (USAGE_HOURS_DIFFERING, "Hours whose raw usage events are not what is billed"),
        (USAGE_UNPRICED_CUSTOMERS, "Customers whose usage can't be priced, by reason"),
        (USAGE_METER_LAG_HOURS, "For how long the oldest closed hour has been waiting to be at Stripe"),
        (AUDIT_SEAL_LAG_SECONDS, "Age of the oldest audit entry that no seal proves yet"),
        (RECONCILE_DISCREPANCY_MAJOR_UNITS, "What is at stake in the last complete reconciliation, by currency, in its major units"),
        (RECONCILE_DISCREPANCIES, "What the last complete reconciliation found, by kind"),
        (RECONCILE_CHECKED, "Objects that the last complete reconciliation compared"),
        (RECONCILE_LAST_COMPLETED, "When the last complete reconciliation ended, in unix seconds"),
        (JOB_LAST_SUCCESS, "When a background job last ended well, in unix seconds"),
        (JOB_INTERVAL_SECONDS, "From the end of a background job's run to the next one"),
        (DATABASE_POOL_CONNECTIONS, "Connections of this process to PostgreSQL by state"),
        (DATABASE_POOL_MAX, "Most connections that this process opens"),
        (DATABASE_UP, "Whether PostgreSQL answered whoever read these metrics"),
        (DATABASE_SCHEMA_VERSION, "The newest migration that is applied"),
        (DATABASE_SCHEMA_VERSION_KNOWN, "The newest migration that this program knows"),
        (BILLING_ENABLED, "Whether billing is switched on"),
        (FEATURE_ENABLED, "Whether a feature is on"),
        (BUILD_INFO, "Always 1, with the version of the program"),
    ] {
        metrics::describe_gauge!(name, help);
    }
    for (name, help) in [
        (WEBHOOK_LAG_SECONDS, "From the second in which Stripe made an event to its being applied"),
        (STRIPE_REQUEST_SECONDS, "Requests to Stripe by operation, with their retries and waits"),
        (HTTP_REQUEST_SECONDS, "HTTP requests by route and method"),
        (PDF_RENDER_SECONDS, "Rendering one invoice as PDF"),
        (RECONCILE_SECONDS, "How long a reconciliation took"),
        (JOB_SECONDS, "How long a run of a background job took, by name"),
        (DATABASE_POOL_WAIT_SECONDS, "How long whoever read these metrics waited for a database connection"),
    ] {
        metrics::describe_histogram!(name, help);
    }
}

/// The pages and operations whose latency an alert watches.
const WATCHED_ROUTES: [&str; 5] =
    ["/api/v1/billing/usage/current", "/api/v1/billing/invoices", "/billing/usage", "/billing/invoices", "/billing/invoices/{id}"];

/// Zeros of whatever a rule or a panel asks for: `increase()` and `rate()` don't count the first sample of a series (Prometheus manual,
/// "Query functions"), so that a series that begins with a failure hides it.
fn begin() {
    let counters = [
        (WEBHOOK_SIGNATURE_FAILURES, "reason", &["missing", "malformed", "stale", "mismatch"][..]),
        (WEBHOOK_TIES, "resolution", &["fetch", "last_resort"]),
        (USAGE_EVENTS, "result", &["accepted", "duplicate", "rejected"]),
        (USAGE_REQUESTS_REFUSED, "reason", &["overloaded", "rate_limited"]),
        (USAGE_METER_EVENTS, "result", &["sent", "failed", "cancelled", "expired", "unclear"]),
        (USAGE_ALERTS, "kind", &["percent", "cost", "cap"]),
        (MAILS, "result", &["sent", "failed"]),
        (HTTP_SERVER_ERRORS, "surface", &["api", "page"]),
        (PDF_RENDERS, "result", &["rendered", "failed", "busy", "timed_out"]),
        (LOGINS, "result", &["ok", "refused", "throttled", "code_wanted"]),
        (RECONCILE_RUNS, "result", &["completed", "failed", "cancelled"]),
    ];
    for (name, label, values) in counters {
        for value in values {
            metrics::counter!(name, label => *value).increment(0);
        }
    }
    // The results that no alert asks for, of one type of the many; service::webhooks adds the others for each type.
    for result in ["received", "duplicate", "ignored"] {
        metrics::counter!(WEBHOOK_EVENTS, "type" => "other", "result" => result).increment(0);
    }
    for route in WATCHED_ROUTES {
        drop(metrics::histogram!(HTTP_REQUEST_SECONDS, "route" => route, "method" => "GET"));
    }
    for name in [
        INVOICE_PAYMENT_FAILURES,
        INVOICE_SUMS_UNEXPLAINED,
        USAGE_BILLED_CHANGES,
        DATABASE_POOL_TIMEOUTS,
        DATABASE_STORAGE_REFUSALS,
        HTTP_REQUESTS_LIMITED,
        HTTP_CONNECTIONS_REFUSED,
    ] {
        metrics::counter!(name).increment(0);
    }
    for name in
        [HTTP_CONNECTIONS, STRIPE_CIRCUIT, USAGE_BYTES_IN_FLIGHT, USAGE_BEHIND_SECONDS, USAGE_HOURS_DIFFERING, USAGE_METER_LAG_HOURS]
    {
        metrics::gauge!(name).set(0.0);
    }
    for reason in ["no_price", "unknown_plan"] {
        metrics::gauge!(USAGE_UNPRICED_CUSTOMERS, "reason" => reason).set(0.0);
    }
    for name in [AUDIT_SEAL_LAG_SECONDS, RECONCILE_CHECKED, RECONCILE_LAST_COMPLETED] {
        metrics::gauge!(name).set(0.0);
    }
    metrics::gauge!(RECONCILE_DISCREPANCY_MAJOR_UNITS, "currency" => "usd").set(0.0);
    for name in [PDF_RENDER_SECONDS, WEBHOOK_LAG_SECONDS, RECONCILE_SECONDS] {
        drop(metrics::histogram!(name));
    }
    metrics::gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}
