//! Stripe's webhooks: verified, stored, applied.
//!
//! One transaction stores an event and applies it, and the response follows the commit, so that
//! Stripe retries unstored events. Deliveries that arrive while others are being written share the
//! next transaction ([`Intake`]). An event that can't be applied is stored as failed with a normal
//! response: it blocks nothing, and [`apply_waiting`] retries it.

pub mod apply;
mod fetch;
mod intake;
mod staff;

pub use intake::Intake;
pub use staff::{list, replay, replay_failed, show};

use super::{Error, Platform, Result, features};
use crate::{
    domain::{identity::CustomerId, webhook::WebhookStatus},
    service::webhooks::apply::{ApplyError, Outcome, apply, prefetch},
    store::postgres::{
        audit::{self, Entry},
        inbox::{self, Attempt},
        outbox,
    },
    stripe::{
        signature::{self, SignatureError},
        webhook::{
            event::Event,
            parsed::{ParsedEvent, Scope},
        },
    },
    telemetry,
};
use serde::Serialize;
use serde_json::json;
use sqlx::{Acquire, PgConnection};

/// Attempts before an event is left to staff: with the delays of `inbox::next_waiting`, some four
/// days.
const MOST_ATTEMPTS: i32 = 10;

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
            SignatureError::Missing => "signature_missing",
            SignatureError::Stale => "signature_stale",
            SignatureError::Malformed | SignatureError::Mismatch => "signature_invalid",
        };
        return Err(Error::BadRequest { code, detail: error.to_string() });
    }
    // PostgreSQL's text accepts any UTF-8 except NUL, which is invalid in JSON too.
    let body = str::from_utf8(body).ok().filter(|text| !text.contains('\0'));
    let body = body.ok_or_else(|| Error::BadRequest { code: "not_utf8", detail: "the body is not UTF-8 text".into() })?;
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
        let tried = try_again(&mut transaction, platform, waiting.id, &parsed, waiting.attempts).await?;
        transaction.commit().await?;
        tell_metrics(platform, &parsed.event, &tried);
        done += 1;
    }
    Ok(done)
}

/// The result of an attempt.
struct Tried {
    status: WebhookStatus,
    /// Why it was ignored or failed.
    reason: Option<String>,
    customer: Option<CustomerId>,
    stripe_invoice_id: Option<String>,
    /// The unknown Stripe customer because of which it was ignored.
    awaits_customer: Option<String>,
    /// The domain event of the change.
    changed: Option<&'static str>,
    /// The last resort chose among snapshots of its second.
    undecided: bool,
}

impl Tried {
    const WAITING: Tried = Tried {
        status: WebhookStatus::Received,
        reason: None,
        customer: None,
        stripe_invoice_id: None,
        awaits_customer: None,
        changed: None,
        undecided: false,
    };

    /// `earlier`: the number of earlier attempts.
    fn new(outcome: Outcome, event: &Event, earlier: i32) -> Tried {
        match outcome {
            Outcome::Applied { customer, stripe_invoice_id, changed, undecided } => {
                Tried { status: WebhookStatus::Applied, customer, stripe_invoice_id, changed, undecided, ..Tried::WAITING }
            }
            Outcome::Ignored { reason, awaits_customer } => {
                Tried { status: WebhookStatus::Ignored, reason: Some(reason), awaits_customer, ..Tried::WAITING }
            }
            Outcome::Unreadable { reason } => {
                let status = if earlier + 1 >= MOST_ATTEMPTS { WebhookStatus::Dead } else { WebhookStatus::Failed };
                tracing::warn!(
                    stripe_event_id = event.id,
                    event_type = event.event_type,
                    status = status.as_str(),
                    reason,
                    "webhook event can't be applied"
                );
                Tried { status, reason: Some(reason), ..Tried::WAITING }
            }
        }
    }

    fn attempt(&self) -> Attempt<'_> {
        Attempt {
            status: self.status,
            reason: self.reason.as_deref(),
            customer: self.customer,
            stripe_invoice_id: self.stripe_invoice_id.as_deref(),
            awaits_customer: self.awaits_customer.as_deref(),
        }
    }
}

/// Another attempt of a stored event within a savepoint: a failure leaves only its reason.
async fn try_again(conn: &mut PgConnection, platform: &Platform, row: i64, parsed: &ParsedEvent, earlier: i32) -> Result<Tried> {
    let event = &parsed.event;
    if let Some(postponed) = fetch::postpone(conn, platform, row, event).await? {
        return Ok(postponed);
    }
    let mut savepoint = conn.begin().await?;
    let applied = match prefetch(&mut savepoint, &[parsed]).await {
        Ok(prefetched) => apply(&mut savepoint, &[parsed], &prefetched).await,
        Err(error) => Err(error),
    };
    let outcome = match applied {
        Ok(mut outcomes) => {
            savepoint.commit().await?;
            outcomes.remove(0)
        }
        Err(refused @ ApplyError::Refused(_)) => {
            savepoint.rollback().await?;
            Outcome::Unreadable { reason: refused.to_string() }
        }
        // The caller's transaction ends with this, and the savepoint with it.
        Err(ApplyError::Database(error)) => return Err(error.into()),
    };
    let tried = Tried::new(outcome, event, earlier);
    inbox::finish(conn, row, &tried.attempt(), platform.clock.now()).await?;
    if let Some(changed) = tried.changed {
        let data = json!({"stripe_event_id": event.id, "event_type": event.event_type, "object_id": parsed.subject_id()});
        let customer = tried.customer;
        let entry =
            Entry { event_type: "webhook.applied", actor: "stripe", customer, data: data.clone(), ip_address: None, user_agent: None };
        audit::record(conn, entry).await?;
        outbox::publish(conn, changed, customer, data).await?;
    }
    Ok(tried)
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

/// Counts an event's result, and measures its delay from Stripe's clock to ours.
fn tell_metrics(platform: &Platform, event: &Event, tried: &Tried) {
    let status = tried.status;
    count(event, status.as_str());
    count_tie(platform, event, tried);
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

/// Counts a second in which an object's events have an unknown order.
fn count_tie(platform: &Platform, event: &Event, tried: &Tried) {
    if tried.undecided {
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
