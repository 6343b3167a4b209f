//! Stripe's webhooks: verified, stored, applied.
//!
//! One transaction stores an event and applies it, and the answer follows the commit, so that Stripe sends again whatever was not
//! kept. An event that can't be applied is kept as failed and answered like any other: it blocks nothing, and is tried again
//! from the stored copy by [`apply_waiting`].

mod fetch;
mod staff;

pub use staff::{By, Query, list, replay, replay_failed, show};

use super::{Error, Platform, Result};
use crate::{
    domain::{identity::CustomerId, webhook::WebhookStatus},
    store::postgres::inbox::{self, Attempt},
    stripe::{
        signature::{self, SignatureError},
        webhook::{
            apply::{ApplyError, Outcome, apply},
            event::Event,
        },
    },
    telemetry,
};
use serde::Serialize;
use sqlx::{Acquire, PgConnection};

/// Tries before an event is left to a person: at the waits of `inbox::next_waiting`, some four days.
const MOST_ATTEMPTS: i32 = 10;

/// The answer to Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Stored for good.
    pub received: bool,
    /// Was stored before, and is not applied again.
    pub duplicate: bool,
}

/// Takes one delivery: the `Stripe-Signature` header and the raw body.
///
/// # Errors
/// `signature_missing`, `signature_stale`, `signature_invalid` and `not_utf8`, upon which nothing is stored; `busy` or `internal` when the
/// database can't take it now, upon which Stripe tries again.
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
    // PostgreSQL's text holds any UTF-8 but NUL, which no JSON has either.
    let body = str::from_utf8(body).ok().filter(|text| !text.contains('\0'));
    let body = body.ok_or_else(|| Error::BadRequest { code: "not_utf8", detail: "the body is not UTF-8 text".into() })?;
    take(platform, body).await
}

/// Stores and applies one event, whose body comes from Stripe for certain: signed by it, or fetched from it.
///
/// # Errors
/// `busy` or `internal` when the database can't take it now.
pub async fn take(platform: &Platform, body: &str) -> Result<Receipt> {
    let event = Event::read(body);
    let mut transaction = platform.db.begin().await?;
    let Some(row) = inbox::store(&mut transaction, &event, body, platform.clock.now()).await? else {
        transaction.rollback().await?;
        count(&event, "duplicate");
        return Ok(Receipt { received: true, duplicate: true });
    };
    // Switched off, billing still takes what Stripe sends, and applies it when it is back.
    let status = if platform.config.billing_enabled {
        attempt(&mut transaction, platform, row, &event, 0).await?.status
    } else {
        WebhookStatus::Received
    };
    transaction.commit().await?;
    count(&event, status.as_str());
    measure_lag(platform, &event, status);
    Ok(Receipt { received: true, duplicate: false })
}

/// Applies stored events that wait: those that came while billing was switched off, and failed ones whose time has come. Oldest first, each
/// in a transaction of its own; any number of processes may do this at once. Gives how many were tried, at most `limit`.
pub async fn apply_waiting(platform: &Platform, limit: u64) -> Result<u64> {
    let mut done = 0;
    while done < limit && platform.config.billing_enabled {
        let mut transaction = platform.db.begin().await?;
        let Some(waiting) = inbox::next_waiting(&mut transaction, platform.clock.now()).await? else { break };
        let event = Event::read(&waiting.payload);
        let tried = attempt(&mut transaction, platform, waiting.id, &event, waiting.attempts).await?;
        transaction.commit().await?;
        count(&event, tried.status.as_str());
        measure_lag(platform, &event, tried.status);
        done += 1;
    }
    Ok(done)
}

/// What a try came to.
struct Tried {
    status: WebhookStatus,
    /// Why it was ignored or failed.
    reason: Option<String>,
    customer: Option<CustomerId>,
    stripe_invoice_id: Option<String>,
    /// The Stripe customer for whose sake alone it was ignored.
    awaits_customer: Option<String>,
}

impl Tried {
    const fn without_effect(status: WebhookStatus, reason: String) -> Tried {
        Tried { status, reason: Some(reason), customer: None, stripe_invoice_id: None, awaits_customer: None }
    }
}

/// One try, within a savepoint: what fails leaves nothing behind but its reason.
async fn attempt(conn: &mut PgConnection, platform: &Platform, row: i64, event: &Event, earlier: i32) -> Result<Tried> {
    if let Some(postponed) = fetch::postpone(conn, platform, row, event).await? {
        return Ok(postponed);
    }
    let mut savepoint = conn.begin().await?;
    let tried = match apply(&mut savepoint, event, platform.config.stripe_livemode).await {
        Ok(outcome) => {
            savepoint.commit().await?;
            match outcome {
                Outcome::Applied { customer, stripe_invoice_id, .. } => {
                    Tried { status: WebhookStatus::Applied, reason: None, customer, stripe_invoice_id, awaits_customer: None }
                }
                Outcome::Ignored { reason, awaits_customer } => {
                    Tried { awaits_customer, ..Tried::without_effect(WebhookStatus::Ignored, reason) }
                }
            }
        }
        Err(ApplyError::Unreadable(reason)) => {
            savepoint.rollback().await?;
            let status = if earlier + 1 >= MOST_ATTEMPTS { WebhookStatus::Dead } else { WebhookStatus::Failed };
            tracing::warn!(
                stripe_event_id = event.id,
                event_type = event.event_type,
                status = status.as_str(),
                reason,
                "webhook event can't be applied"
            );
            Tried::without_effect(status, reason)
        }
        // The caller's transaction ends with this, and the savepoint in it.
        Err(ApplyError::Database(error)) => return Err(error.into()),
    };
    let end = Attempt {
        status: tried.status,
        reason: tried.reason.as_deref(),
        customer: tried.customer,
        stripe_invoice_id: tried.stripe_invoice_id.as_deref(),
        awaits_customer: tried.awaits_customer.as_deref(),
        at: platform.clock.now(),
    };
    inbox::finish(conn, row, end).await?;
    Ok(tried)
}

/// Tells the metrics how many stored events are not settled.
pub async fn measure_inbox(platform: &Platform) -> Result<()> {
    let unsettled = inbox::unsettled(&platform.db).await?;
    for (status, events) in [("received", unsettled.received), ("failed", unsettled.failed), ("dead", unsettled.dead)] {
        metrics::gauge!(telemetry::WEBHOOK_INBOX_EVENTS, "status" => status).set(events as f64);
    }
    Ok(())
}

/// From Stripe's clock to ours.
fn measure_lag(platform: &Platform, event: &Event, status: WebhookStatus) {
    if let (WebhookStatus::Applied, Some(created)) = (status, event.created) {
        metrics::histogram!(telemetry::WEBHOOK_LAG_SECONDS).record((platform.clock.now() - created).as_seconds_f64().max(0.0));
    }
}

fn count(event: &Event, result: &'static str) {
    metrics::counter!(telemetry::WEBHOOK_EVENTS, "type" => event.label(), "result" => result).increment(1);
}
