//! Every metric name in one list, logging and traces. No metric has a label `job` or `instance`: those are Prometheus's own.

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
/// Webhook deliveries refused for their signature, by `reason`.
pub const WEBHOOK_SIGNATURE_FAILURES: &str = "webhook_signature_failures_total";
/// From the second in which Stripe made an event to its being applied, in seconds.
pub const WEBHOOK_LAG_SECONDS: &str = "webhook_lag_seconds";
/// Stored events that are not settled, by `status`: received, failed, dead.
pub const WEBHOOK_INBOX_EVENTS: &str = "webhook_inbox_events";
/// Seconds of an object whose events don't say which came last, by `resolution`: fetch (Stripe is asked again), last_resort (there is no key to
/// ask with, so that the choice stays as it is: the same for every order of arrival, but not known to be right).
pub const WEBHOOK_TIES: &str = "webhook_ties_total";
/// Requests to Stripe by `operation` and `result`: ok, rejected, rate_limited, unavailable, circuit_open.
pub const STRIPE_REQUESTS: &str = "stripe_requests_total";
/// Requests to Stripe by `operation`, with their retries and waits, in seconds.
pub const STRIPE_REQUEST_SECONDS: &str = "stripe_request_duration_seconds";
/// Tries beyond the first, by `operation`.
pub const STRIPE_RETRIES: &str = "stripe_retries_total";
/// Whether Stripe is asked at all: 0 yes, 1 one request tries whether it answers again, 2 no, it failed too often.
pub const STRIPE_CIRCUIT: &str = "stripe_circuit_state";
/// What was read from Stripe instead of waiting for it, by `stream` and `result`: stored, known.
pub const STRIPE_BACKFILL: &str = "stripe_backfill_total";
/// Usage events by `result`: accepted, duplicate, rejected.
pub const USAGE_EVENTS: &str = "usage_events_total";
/// Requests with usage events that were refused before they were read, by `reason`: overloaded, rate_limited.
pub const USAGE_REQUESTS_REFUSED: &str = "usage_requests_refused_total";
/// Bytes of the requests with usage events that are in the process now.
pub const USAGE_BYTES_IN_FLIGHT: &str = "usage_bytes_in_flight";
/// Metrics of billed periods whose usage changed after the invoice.
pub const USAGE_BILLED_CHANGES: &str = "usage_billed_period_changes_total";
/// For how long the oldest accepted usage event has been waiting to be in the figures, in seconds.
pub const USAGE_BEHIND_SECONDS: &str = "usage_behind_seconds";
/// Hours whose raw usage events are not what is billed, as of the last check; anything but 0 wants a person.
pub const USAGE_HOURS_DIFFERING: &str = "usage_hours_differing";
/// Customers whose usage can't be priced, by `reason`: no_price (in their currency), unknown_plan.
pub const USAGE_UNPRICED_CUSTOMERS: &str = "usage_unpriced_customers";
/// Parts of hours that Stripe's billing meters were told of, by `result`: sent, failed, cancelled, expired, unclear.
pub const USAGE_METER_EVENTS: &str = "usage_meter_events_total";
/// For how long the oldest closed hour has been waiting to be at Stripe, in hours.
pub const USAGE_METER_LAG_HOURS: &str = "usage_meter_lag_hours";
/// Usage alerts that fired, by `kind`: percent, cost, cap.
pub const USAGE_ALERTS: &str = "usage_alerts_total";
/// Age of the oldest audit entry that no seal proves yet, in seconds.
pub const AUDIT_SEAL_LAG_SECONDS: &str = "audit_seal_lag_seconds";
/// Mails by `result`: sent, failed.
pub const MAILS: &str = "mails_total";
/// Whether a `feature` is on: 1 or 0.
pub const FEATURE_ENABLED: &str = "feature_enabled";
/// What is at stake in the last complete reconciliation, by `currency`, in its major units: one threshold fits every exponent.
pub const RECONCILE_DISCREPANCY_MAJOR_UNITS: &str = "reconcile_discrepancy_major_units";
/// What the last complete reconciliation found, by `kind`.
pub const RECONCILE_DISCREPANCIES: &str = "reconcile_discrepancies";
/// Objects that the last complete reconciliation compared.
pub const RECONCILE_CHECKED: &str = "reconcile_checked";
/// When the last complete reconciliation ended, in unix seconds.
pub const RECONCILE_LAST_COMPLETED: &str = "reconcile_last_completed_timestamp_seconds";
/// Reconciliations that ended in this process, by `result`: completed, failed, cancelled.
pub const RECONCILE_RUNS: &str = "reconcile_runs_total";
/// How long a reconciliation took, since it was begun or taken up, in seconds.
pub const RECONCILE_SECONDS: &str = "reconcile_duration_seconds";
/// Requests under an idempotency key, by `result`: run, run_again (the run before died or failed), replayed, in_progress, reused, failed.
pub const IDEMPOTENT_REQUESTS: &str = "idempotent_requests_total";
/// Connections to the public address that are open.
pub const HTTP_CONNECTIONS: &str = "http_connections";
/// Connections that were closed at once, since their address had its share.
pub const HTTP_CONNECTIONS_REFUSED: &str = "http_connections_refused_total";
/// HTTP requests by `route` and `method`, in seconds.
pub const HTTP_REQUEST_SECONDS: &str = "http_request_duration_seconds";
/// Answers by `route`, `method` and `class` of their status: 1xx to 5xx.
pub const HTTP_RESPONSES: &str = "http_responses_total";
/// Requests without anybody signed in that were refused, since their address had had its part.
pub const HTTP_REQUESTS_LIMITED: &str = "http_requests_limited_total";
/// Answers of 500 and above that nobody meant to give, by `surface`: api, page. A switched-off billing is meant.
pub const HTTP_SERVER_ERRORS: &str = "http_server_errors_total";
/// Age of the oldest stored event that was never tried, in seconds.
pub const WEBHOOK_INBOX_OLDEST_SECONDS: &str = "webhook_inbox_oldest_seconds";
/// Payments of invoices that Stripe said failed.
pub const INVOICE_PAYMENT_FAILURES: &str = "invoice_payment_failures_total";
/// Times that an invoice was shown with sums that what Stripe says does not explain ("Other adjustments").
pub const INVOICE_SUMS_UNEXPLAINED: &str = "invoice_sums_unexplained_total";
/// Invoices rendered as PDF, by `result`: rendered, failed, busy, timed_out. One from the cache is none.
pub const PDF_RENDERS: &str = "pdf_renders_total";
/// Rendering one invoice as PDF, without waiting for a free core, in seconds.
pub const PDF_RENDER_SECONDS: &str = "pdf_render_duration_seconds";
/// Runs of background jobs by `name` and `result`: ok, failed.
pub const JOB_RUNS: &str = "job_runs_total";
/// How long a run of a job took, by `name`, in seconds.
pub const JOB_SECONDS: &str = "job_duration_seconds";
/// When a job last ended well, by `name`, in unix seconds; at first when the server started.
pub const JOB_LAST_SUCCESS: &str = "job_last_success_timestamp_seconds";
/// From the end of a job's run to the next one, by `name`, in seconds.
pub const JOB_INTERVAL_SECONDS: &str = "job_interval_seconds";
/// Sign-ins by `result`: ok, refused, throttled (too early after others that failed), code_wanted (the password was right).
pub const LOGINS: &str = "login_attempts_total";
/// Connections of this process to PostgreSQL by `state`: idle, in_use.
pub const DATABASE_POOL_CONNECTIONS: &str = "database_pool_connections";
/// Most connections that this process opens.
pub const DATABASE_POOL_MAX: &str = "database_pool_max_connections";
/// How long whoever reads these metrics waited for a connection, in seconds.
pub const DATABASE_POOL_WAIT_SECONDS: &str = "database_pool_wait_seconds";
/// Requests and runs that got no connection in time.
pub const DATABASE_POOL_TIMEOUTS: &str = "database_pool_timeouts_total";
/// Writes that PostgreSQL refused since its disk was full or failed.
pub const DATABASE_STORAGE_REFUSALS: &str = "database_storage_refusals_total";
/// Whether PostgreSQL answered whoever reads these metrics: 1 yes, 0 no.
pub const DATABASE_UP: &str = "database_up";
/// The newest migration that is applied.
pub const DATABASE_SCHEMA_VERSION: &str = "database_schema_version";
/// The newest migration that this program knows.
pub const DATABASE_SCHEMA_VERSION_KNOWN: &str = "database_schema_version_known";
/// Migrations that failed, of whichever process, as PostgreSQL remembers them.
pub const DATABASE_MIGRATION_FAILURES: &str = "database_migration_failures_total";
/// Whether billing is switched on: 1 or 0.
pub const BILLING_ENABLED: &str = "billing_enabled";
/// Always 1, with the `version` of the program.
pub const BUILD_INFO: &str = "apex_billing_build_info";
