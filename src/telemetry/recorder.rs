//! The recorder behind `/metrics`: buckets, help texts, and counters that start at zero, so that
//! the first failure counts as an increase.

use super::*;
use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Around the deployment checklist's targets: 0.5 s for usage, 1 s for invoices, 2 s for a page or
/// a PDF, 3 s for its download.
const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0];
/// Delay of events: seconds normally, days after an outage.
const LAG_SECONDS: [f64; 8] = [1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 86400.0];
/// A job may take a moment or an hour.
const JOB_BUCKETS: [f64; 10] = [0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];

/// Installs the recorder of this process.
///
/// # Errors
/// A recorder is already installed.
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
        (WEBHOOK_SIGNATURE_FAILURES, "Webhook deliveries with an invalid signature, by reason"),
        (WEBHOOK_TIES, "Seconds in which an object's events have an unknown order, by resolution"),
        (STRIPE_REQUESTS, "Requests to Stripe by operation and result"),
        (STRIPE_RETRIES, "Retries of requests to Stripe, by operation"),
        (STRIPE_BACKFILL, "Objects and events fetched instead of delivered, by stream and result"),
        (USAGE_EVENTS, "Usage events by result"),
        (USAGE_REQUESTS_REFUSED, "Usage requests refused before they were read, by reason"),
        (USAGE_BILLED_CHANGES, "Metrics of billed periods whose usage changed after the invoice"),
        (USAGE_METER_EVENTS, "Meter events sent to Stripe, by result"),
        (USAGE_ALERTS, "Usage alerts that fired, by kind"),
        (IDEMPOTENT_REQUESTS, "Requests with an idempotency key, by result"),
        (MAILS, "Mails by result"),
        (HTTP_RESPONSES, "Responses by route, method and status class"),
        (HTTP_REQUESTS_LIMITED, "Unauthenticated requests refused by the rate limit of their address"),
        (HTTP_SERVER_ERRORS, "Unintended responses of 500 and above, by surface"),
        (INVOICE_PAYMENT_FAILURES, "Failed payments of invoices, as reported by Stripe"),
        (INVOICE_SUMS_UNEXPLAINED, "Invoices shown with sums that Stripe's data don't explain"),
        (PDF_RENDERS, "Invoices rendered as PDF, by result"),
        (RECONCILE_RUNS, "Reconciliations that ended in this process, by result"),
        (JOB_RUNS, "Runs of background jobs by name and result"),
        (LOGINS, "Logins by result"),
        (IDEMPOTENT_REQUESTS, "Requests under an idempotency key, by result"),
        (DATABASE_POOL_TIMEOUTS, "Requests and job runs that timed out waiting for a database connection"),
        (DATABASE_STORAGE_REFUSALS, "Writes that the database refused because its disk was full or failed"),
        (HTTP_CONNECTIONS_REFUSED, "Connections closed at once because their address reached its limit"),
        (DATABASE_MIGRATION_FAILURES, "Failed migrations of all processes, as recorded in the database"),
    ] {
        metrics::describe_counter!(name, help);
    }
    for (name, help) in [
        (WEBHOOK_INBOX_EVENTS, "Stored Stripe events that are not finished, by status"),
        (WEBHOOK_INBOX_OLDEST_SECONDS, "Age of the oldest stored Stripe event that was never attempted"),
        (HTTP_CONNECTIONS, "Open connections to the public address"),
        (STRIPE_CIRCUIT, "Circuit breaker for Stripe: 0 closed, 1 half-open, 2 open"),
        (USAGE_BYTES_IN_FLIGHT, "Bytes of the usage requests currently in the process"),
        (USAGE_BEHIND_SECONDS, "Age of the oldest accepted usage event that is not counted yet"),
        (USAGE_HOURS_DIFFERING, "Hours in which raw usage events differ from billed usage"),
        (USAGE_UNPRICED_CUSTOMERS, "Customers whose usage can't be priced, by reason"),
        (USAGE_METER_LAG_HOURS, "Age of the oldest closed hour that is not sent to Stripe"),
        (AUDIT_SEAL_LAG_SECONDS, "Age of the oldest unsealed audit entry"),
        (RECONCILE_DISCREPANCY_MAJOR_UNITS, "Amount at stake in the last complete reconciliation, by currency, in major units"),
        (RECONCILE_DISCREPANCIES, "Discrepancies of the last complete reconciliation, by kind"),
        (RECONCILE_CHECKED, "Objects compared by the last complete reconciliation"),
        (RECONCILE_LAST_COMPLETED, "End of the last complete reconciliation, in Unix seconds"),
        (JOB_LAST_SUCCESS, "When a background job last succeeded, in Unix seconds"),
        (JOB_INTERVAL_SECONDS, "Time between two runs of a background job"),
        (DATABASE_POOL_CONNECTIONS, "This process's PostgreSQL connections by state"),
        (DATABASE_POOL_MAX, "Maximum size of this process's connection pool"),
        (DATABASE_UP, "Whether PostgreSQL responded to the metrics request"),
        (DATABASE_SCHEMA_VERSION, "The newest applied migration"),
        (DATABASE_SCHEMA_VERSION_KNOWN, "The newest migration in this program"),
        (BILLING_ENABLED, "Whether billing is switched on"),
        (FEATURE_ENABLED, "Whether a feature is on"),
        (BUILD_INFO, "Always 1, with the version of the program"),
    ] {
        metrics::describe_gauge!(name, help);
    }
    for (name, help) in [
        (WEBHOOK_LAG_SECONDS, "Time from an event's creation at Stripe to its application"),
        (STRIPE_REQUEST_SECONDS, "Duration of requests to Stripe by operation, including retries and waits"),
        (HTTP_REQUEST_SECONDS, "HTTP requests by route and method"),
        (PDF_RENDER_SECONDS, "Rendering one invoice as PDF"),
        (RECONCILE_SECONDS, "Duration of a reconciliation"),
        (JOB_SECONDS, "Duration of a background job's run, by name"),
        (DATABASE_POOL_WAIT_SECONDS, "Time that the metrics request waited for a database connection"),
    ] {
        metrics::describe_histogram!(name, help);
    }
}

/// Pages and operations with a latency alert.
const WATCHED_ROUTES: [&str; 5] =
    ["/api/v1/billing/usage/current", "/api/v1/billing/invoices", "/billing/usage", "/billing/invoices", "/billing/invoices/{id}"];

/// Series that start at zero, for every rule and panel: `increase()` and `rate()` ignore the first
/// sample of a series (Prometheus manual, "Query functions"), which would hide a first failure.
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
    // The results without an alert, for one type of many; service::webhooks adds the others per
    // type.
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
