//! Stripe's webhooks: verified, stored, applied.
//!
//! One transaction stores an event and applies it, and the answer follows the commit, so that
//! Stripe sends again what was not stored. Deliveries that arrive during a transaction share the
//! next one ([`Intake`]). An event that can't be applied is stored as failed and answered like any
//! other: it blocks no other event, and [`apply_waiting`] retries it from the stored copy.
//!
//! A first delivery, a retry and a replay take one path: `apply` gives an `inbox::Attempt`, and
//! `inbox::record` stores it with the audit row and the domain event.

pub mod apply;
mod fetch;
mod intake;
mod staff;

pub use intake::Intake;
pub use staff::{list, replay, replay_failed, show};

use super::{Error, Platform, Result, features};
use crate::{
    domain::{error_code::ErrorCode, webhook::WebhookStatus},
    store::postgres::inbox::{self, Attempt, Record},
    stripe::{
        signature::{self, SignatureError},
        webhook::{
            event::Event,
            parsed::{ParsedEvent, Scope},
        },
    },
    telemetry,
};
use apply::{ApplyError, apply, prefetch};
use serde::Serialize;
use sqlx::{Acquire, PgConnection};

/// The response to Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = WebhookReceipt)]
pub struct Receipt {
    /// Durably stored.
    pub received: bool,
    /// Was stored before, and is not applied again.
    pub duplicate: bool,
}

/// Handles a delivery: the `Stripe-Signature` header and the raw body.
///
/// # Errors
/// `signature_missing`, `signature_stale`, `signature_invalid` and `not_utf8`, which store nothing;
/// `busy` or `internal` if the database can't store it now, and Stripe retries.
#[tracing::instrument(name = "webhooks.receive", level = "debug", skip_all)]
pub async fn receive(platform: &Platform, signature: Option<&str>, body: &[u8]) -> Result<Receipt> {
    let verified = signature.ok_or(SignatureError::Missing).and_then(|header| {
        signature::verify(header, body, &platform.config.stripe_webhook_secrets, platform.clock.now(), signature::TOLERANCE)
    });
    if let Err(error) = verified {
        metrics::counter!(telemetry::WEBHOOK_SIGNATURE_FAILURES, "reason" => error.reason()).increment(1);
        let code = match error {
            SignatureError::Missing => ErrorCode::SignatureMissing,
            SignatureError::Stale => ErrorCode::SignatureStale,
            SignatureError::Malformed | SignatureError::Mismatch => ErrorCode::SignatureInvalid,
        };
        return Err(Error::refused(code, error.to_string()));
    }
    // PostgreSQL's text accepts any UTF-8 except NUL, which is invalid in JSON too.
    let body = str::from_utf8(body).ok().filter(|text| !text.contains('\0'));
    let body = body.ok_or_else(|| Error::refused(ErrorCode::NotUtf8, "The body is not UTF-8. The event was not stored."))?;
    take(platform, body).await
}

/// Stores and applies an event whose body is authentic: signed by Stripe, or fetched from it.
///
/// # Errors
/// `busy` or `internal` if the database can't store it now.
pub async fn take(platform: &Platform, body: &str) -> Result<Receipt> {
    let parsed = ParsedEvent::parse(body, scope(platform));
    telemetry::request::note_stripe_event(&parsed.event.id);
    let delivery = intake::Delivery { parsed, request: telemetry::request::span() };
    intake::hand_in(platform, delivery).await
}

/// The mirrored event types.
fn scope(platform: &Platform) -> Scope<'_> {
    Scope { livemode: platform.config.stripe_livemode, account: platform.config.stripe_account.as_deref() }
}

/// Applies due stored events: those received while billing was off, and failed ones to be retried.
/// Oldest first, one transaction each; several processes may run it at once. Returns the number of
/// attempts, at most `limit`.
pub async fn apply_waiting(platform: &Platform, limit: u64) -> Result<u64> {
    let mut done = 0;
    while done < limit && features::current(platform).billing_enabled {
        let mut transaction = platform.db.begin().await?;
        let Some(waiting) = inbox::next_waiting(&mut transaction, platform.clock.now()).await? else { break };
        let parsed = ParsedEvent::parse(&waiting.payload, scope(platform));
        let attempt = try_again(&mut transaction, platform, waiting.id, &parsed, waiting.attempts).await?;
        transaction.commit().await?;
        tell_metrics(platform, &parsed.event, &attempt);
        done += 1;
    }
    Ok(done)
}

/// One more attempt to apply a stored event, within a savepoint: a failure leaves nothing behind
/// but its reason.
async fn try_again(conn: &mut PgConnection, platform: &Platform, row: i64, parsed: &ParsedEvent, earlier: i32) -> Result<Attempt> {
    let attempt = if fetch::awaits_fetch(platform, &parsed.event) {
        Attempt::PENDING_FETCH
    } else {
        conclude(apply_in_savepoint(conn, parsed).await?, &parsed.event, earlier)
    };
    let ParsedEvent { event, body, .. } = parsed;
    let record = Record { row: Some(row), event, body, subject_id: parsed.subject_id(), attempt: &attempt };
    inbox::record(conn, &[record], platform.clock.now()).await?;
    Ok(attempt)
}

async fn apply_in_savepoint(conn: &mut PgConnection, parsed: &ParsedEvent) -> Result<Attempt> {
    let mut savepoint = conn.begin().await?;
    let applied = match prefetch(&mut savepoint, &[parsed]).await {
        Ok(prefetched) => apply(&mut savepoint, &[parsed], &prefetched).await,
        Err(error) => Err(error),
    };
    match applied {
        Ok(mut attempts) => {
            savepoint.commit().await?;
            Ok(attempts.remove(0))
        }
        Err(refused @ ApplyError::Refused(_)) => {
            savepoint.rollback().await?;
            Ok(Attempt::failed(refused.to_string()))
        }
        // The caller's transaction ends with this, and the savepoint in it.
        Err(ApplyError::Database(error)) => Err(error.into()),
    }
}

/// Makes a failed attempt the last one if there were enough `earlier` ones, and logs it.
fn conclude(attempt: Attempt, event: &Event, earlier: i32) -> Attempt {
    let attempt = attempt.after(earlier);
    if attempt.status.is_failure() {
        tracing::warn!(
            stripe_event_id = event.id,
            event_type = event.event_type,
            status = attempt.status.as_str(),
            reason = attempt.reason,
            "webhook event can't be applied"
        );
    }
    attempt
}

/// Sets the metrics of unfinished stored events and the age of the oldest.
pub async fn measure_inbox(platform: &Platform) -> Result<()> {
    let unsettled = inbox::unsettled(&platform.db).await?;
    for (status, events) in [("received", unsettled.received), ("failed", unsettled.failed), ("dead", unsettled.dead)] {
        metrics::gauge!(telemetry::WEBHOOK_INBOX_EVENTS, "status" => status).set(events as f64);
    }
    let oldest = unsettled.oldest_received_at.map_or(0.0, |at| (platform.clock.now() - at).as_seconds_f64().max(0.0));
    metrics::gauge!(telemetry::WEBHOOK_INBOX_OLDEST_SECONDS).set(oldest);
    Ok(())
}

/// Counts what became of an event, and measures its way from Stripe's clock to ours.
fn tell_metrics(platform: &Platform, event: &Event, attempt: &Attempt) {
    let status = attempt.status;
    count(event, status.as_str());
    count_tie(platform, event, attempt);
    if status == WebhookStatus::Applied && event.event_type == "invoice.payment_failed" {
        metrics::counter!(telemetry::INVOICE_PAYMENT_FAILURES).increment(1);
    }
    if let (WebhookStatus::Applied, Some(created)) = (status, event.created) {
        metrics::histogram!(telemetry::WEBHOOK_LAG_SECONDS).record((platform.clock.now() - created).as_seconds_f64().max(0.0));
    }
}

/// Zeros for the alert on failing events, per type: the first failure then counts as an increase.
pub fn register_counters() {
    for label in Event::labels() {
        for status in [WebhookStatus::Applied, WebhookStatus::Failed, WebhookStatus::Dead] {
            metrics::counter!(telemetry::WEBHOOK_EVENTS, "type" => label, "result" => status.as_str()).increment(0);
        }
    }
}

/// Counts a second whose order the events of an object leave open.
fn count_tie(platform: &Platform, event: &Event, attempt: &Attempt) {
    if attempt.undecided {
        let resolution = if platform.stripe.is_some() { "fetch" } else { "last_resort" };
        tracing::info!(
            stripe_event_id = event.id,
            object_id = event.object_id,
            resolution,
            "order of webhook events within a second undecided"
        );
        metrics::counter!(telemetry::WEBHOOK_TIES, "resolution" => resolution).increment(1);
    }
}

fn count(event: &Event, result: &'static str) {
    metrics::counter!(telemetry::WEBHOOK_EVENTS, "type" => event.label(), "result" => result).increment(1);
}
