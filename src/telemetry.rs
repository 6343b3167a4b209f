//! The list of all metric names, logging and traces. No metric has a label `job` or `instance`:
//! Prometheus sets those.

mod logging;
mod outage;
mod recorder;
pub mod request;
pub mod traces;

pub use logging::start_logging;
pub use outage::{News, Outage};
pub use recorder::recorder;

/// Stripe events by `type` and `result`: applied, duplicate, ignored, failed, stored.
pub const WEBHOOK_EVENTS: &str = "webhook_events_total";
/// Webhook deliveries with an invalid signature, by `reason`.
pub const WEBHOOK_SIGNATURE_FAILURES: &str = "webhook_signature_failures_total";
/// Time from an event's creation at Stripe to its application, in seconds.
pub const WEBHOOK_LAG_SECONDS: &str = "webhook_lag_seconds";
/// Stored events that are not finished, by `status`: received, failed, dead.
pub const WEBHOOK_INBOX_EVENTS: &str = "webhook_inbox_events";
/// Seconds in which an object's events have an unknown order, by `resolution`: fetch (the object is
/// fetched from Stripe), last_resort (without a Stripe key the choice stays: independent of the
/// order of arrival, but perhaps wrong).
pub const WEBHOOK_TIES: &str = "webhook_ties_total";
/// Requests to Stripe by `operation` and `result`: ok, rejected, rate_limited, unavailable,
/// circuit_open.
pub const STRIPE_REQUESTS: &str = "stripe_requests_total";
/// Duration of requests to Stripe by `operation`, including retries and waits, in seconds.
pub const STRIPE_REQUEST_SECONDS: &str = "stripe_request_duration_seconds";
/// Retries, by `operation`.
pub const STRIPE_RETRIES: &str = "stripe_retries_total";
/// State of the circuit breaker for Stripe: 0 closed, 1 half-open, 2 open.
pub const STRIPE_CIRCUIT: &str = "stripe_circuit_state";
/// Objects and events fetched instead of delivered, by `stream` and `result`: stored, known.
pub const STRIPE_BACKFILL: &str = "stripe_backfill_total";
/// Usage events by `result`: accepted, duplicate, rejected.
pub const USAGE_EVENTS: &str = "usage_events_total";
/// Usage requests refused before they were read, by `reason`: overloaded, rate_limited.
pub const USAGE_REQUESTS_REFUSED: &str = "usage_requests_refused_total";
/// Bytes of the usage requests currently in the process.
pub const USAGE_BYTES_IN_FLIGHT: &str = "usage_bytes_in_flight";
/// Metrics of billed periods whose usage changed after the invoice.
pub const USAGE_BILLED_CHANGES: &str = "usage_billed_period_changes_total";
/// Age of the oldest accepted usage event that is not counted yet, in seconds.
pub const USAGE_BEHIND_SECONDS: &str = "usage_behind_seconds";
/// Hours in which raw usage events differ from billed usage, as of the last check; anything but 0
/// needs staff.
pub const USAGE_HOURS_DIFFERING: &str = "usage_hours_differing";
/// Customers whose usage can't be priced, by `reason`: no_price (in their currency), unknown_plan.
pub const USAGE_UNPRICED_CUSTOMERS: &str = "usage_unpriced_customers";
/// Meter events sent to Stripe, by `result`: sent, failed, cancelled, expired, unclear.
pub const USAGE_METER_EVENTS: &str = "usage_meter_events_total";
/// Age of the oldest closed hour that is not sent to Stripe, in hours.
pub const USAGE_METER_LAG_HOURS: &str = "usage_meter_lag_hours";
/// Usage alerts that fired, by `kind`: percent, cost, cap.
pub const USAGE_ALERTS: &str = "usage_alerts_total";
/// Age of the oldest unsealed audit entry, in seconds.
pub const AUDIT_SEAL_LAG_SECONDS: &str = "audit_seal_lag_seconds";
/// Mails by `result`: sent, failed.
pub const MAILS: &str = "mails_total";
/// Whether a `feature` is on: 1 or 0.
pub const FEATURE_ENABLED: &str = "feature_enabled";
/// Amount at stake in the last complete reconciliation, by `currency`, in major units: one
/// threshold fits every exponent.
pub const RECONCILE_DISCREPANCY_MAJOR_UNITS: &str = "reconcile_discrepancy_major_units";
/// Discrepancies of the last complete reconciliation, by `kind`.
pub const RECONCILE_DISCREPANCIES: &str = "reconcile_discrepancies";
/// Objects compared by the last complete reconciliation.
pub const RECONCILE_CHECKED: &str = "reconcile_checked";
/// End of the last complete reconciliation, in Unix seconds.
pub const RECONCILE_LAST_COMPLETED: &str = "reconcile_last_completed_timestamp_seconds";
/// Reconciliations that ended in this process, by `result`: completed, failed, cancelled.
pub const RECONCILE_RUNS: &str = "reconcile_runs_total";
/// Duration of a reconciliation since its start or last resumption, in seconds.
pub const RECONCILE_SECONDS: &str = "reconcile_duration_seconds";
/// Requests with an idempotency key, by `result`: run, run_again (the earlier run died or failed),
/// replayed, in_progress, reused, failed.
pub const IDEMPOTENT_REQUESTS: &str = "idempotent_requests_total";
/// Open connections to the public address.
pub const HTTP_CONNECTIONS: &str = "http_connections";
/// Connections closed at once because their address reached its limit.
pub const HTTP_CONNECTIONS_REFUSED: &str = "http_connections_refused_total";
/// HTTP requests by `route` and `method`, in seconds.
pub const HTTP_REQUEST_SECONDS: &str = "http_request_duration_seconds";
/// HTTP responses by `route`, `method` and status `class`: 1xx to 5xx.
pub const HTTP_RESPONSES: &str = "http_responses_total";
/// Unauthenticated requests refused because their address reached its rate limit.
pub const HTTP_REQUESTS_LIMITED: &str = "http_requests_limited_total";
/// Unintended responses of 500 and above, by `surface`: api, page. The 503 of switched-off billing
/// is intended.
pub const HTTP_SERVER_ERRORS: &str = "http_server_errors_total";
/// Age of the oldest stored event that was never attempted, in seconds.
pub const WEBHOOK_INBOX_OLDEST_SECONDS: &str = "webhook_inbox_oldest_seconds";
/// Failed payments of invoices, as reported by Stripe.
pub const INVOICE_PAYMENT_FAILURES: &str = "invoice_payment_failures_total";
/// How often an invoice was shown with sums that Stripe's data don't explain ("Other adjustments").
pub const INVOICE_SUMS_UNEXPLAINED: &str = "invoice_sums_unexplained_total";
/// Invoices rendered as PDF, by `result`: rendered, failed, busy, timed_out. Cache hits don't
/// count.
pub const PDF_RENDERS: &str = "pdf_renders_total";
/// Duration of rendering an invoice as PDF, without the time in the queue, in seconds.
pub const PDF_RENDER_SECONDS: &str = "pdf_render_duration_seconds";
/// Runs of background jobs by `name` and `result`: ok, failed.
pub const JOB_RUNS: &str = "job_runs_total";
/// Duration of a job's run, by `name`, in seconds.
pub const JOB_SECONDS: &str = "job_duration_seconds";
/// When a job last succeeded, by `name`, in Unix seconds; initially the server's start.
pub const JOB_LAST_SUCCESS: &str = "job_last_success_timestamp_seconds";
/// Time between two runs of a job, by `name`, in seconds.
pub const JOB_INTERVAL_SECONDS: &str = "job_interval_seconds";
/// Logins by `result`: ok, refused, throttled (too soon after failures), code_wanted (correct
/// password, second factor required).
pub const LOGINS: &str = "login_attempts_total";
/// This process's PostgreSQL connections by `state`: idle, in_use.
pub const DATABASE_POOL_CONNECTIONS: &str = "database_pool_connections";
/// Maximum size of this process's connection pool.
pub const DATABASE_POOL_MAX: &str = "database_pool_max_connections";
/// Time that the metrics request waited for a connection, in seconds.
pub const DATABASE_POOL_WAIT_SECONDS: &str = "database_pool_wait_seconds";
/// Requests and job runs that timed out waiting for a connection.
pub const DATABASE_POOL_TIMEOUTS: &str = "database_pool_timeouts_total";
/// Writes that PostgreSQL refused because its disk was full or failed.
pub const DATABASE_STORAGE_REFUSALS: &str = "database_storage_refusals_total";
/// Whether PostgreSQL responded to the metrics request: 1 yes, 0 no.
pub const DATABASE_UP: &str = "database_up";
/// The newest applied migration.
pub const DATABASE_SCHEMA_VERSION: &str = "database_schema_version";
/// The newest migration in this program.
pub const DATABASE_SCHEMA_VERSION_KNOWN: &str = "database_schema_version_known";
/// Failed migrations of all processes, as recorded in PostgreSQL.
pub const DATABASE_MIGRATION_FAILURES: &str = "database_migration_failures_total";
/// Whether billing is switched on: 1 or 0.
pub const BILLING_ENABLED: &str = "billing_enabled";
/// Always 1, with the `version` of the program.
pub const BUILD_INFO: &str = "apex_billing_build_info";
