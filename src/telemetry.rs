//! Every metric name in one list, and logging.

use crate::config::LogFormat;
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

/// Stripe events by `type` and `result`: applied, duplicate, ignored, failed, stored.
pub const WEBHOOK_EVENTS: &str = "webhook_events_total";
/// Webhook deliveries refused for their signature, by `reason`.
pub const WEBHOOK_SIGNATURE_FAILURES: &str = "webhook_signature_failures_total";
/// From the second in which Stripe made an event to its being applied, in seconds.
pub const WEBHOOK_LAG_SECONDS: &str = "webhook_lag_seconds";
/// Stored events that are not settled, by `status`: received, failed, dead.
pub const WEBHOOK_INBOX_EVENTS: &str = "webhook_inbox_events";
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
/// Requests under an idempotency key, by `result`: run, run_again (the run before died or failed), replayed, in_progress, reused, failed.
pub const IDEMPOTENT_REQUESTS: &str = "idempotent_requests_total";
/// HTTP requests by `route` and `status`, in seconds.
pub const HTTP_REQUEST_SECONDS: &str = "http_request_duration_seconds";

/// Starts logging to standard error: `RUST_LOG` decides what, `LOG_FORMAT` (else the kind of output) how.
pub fn start_logging(format: Option<LogFormat>) {
    let pretty = match format {
        Some(format) => format == LogFormat::Pretty,
        None => std::io::stderr().is_terminal(),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx::postgres::notice=warn"));
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    let started =
        if pretty { registry.with(layer.compact()).try_init() } else { registry.with(layer.json().flatten_event(true)).try_init() };
    // A second start keeps the first: tests share a process.
    drop(started);
}
