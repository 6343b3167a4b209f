//! Fetches objects from Stripe: those of thin events, those with several events in one second whose
//! order is unknown, invoices and credit notes without all lines, subscriptions without all items,
//! and referenced tax rates and prices (see `service::lookups`).
//!
//! Each becomes an event and goes through the inbox. One process does this at a time; a repetition
//! changes nothing.

use super::{Error, Platform, Result, features, lookups, webhooks};
use crate::{
    domain::{mirror::Kind, webhook::WebhookStatus},
    store::postgres::{
        backfill::{self as store, Lead, Task},
        inbox::{self, Attempt, Record, fetch as waiting, ties},
    },
    stripe::{
        client::{Answer, StripeError},
        fetched::{self, Given},
        webhook::event::Event,
    },
    telemetry,
};
use serde_json::{Value, value::RawValue};
use time::{Duration, OffsetDateTime};

/// Parses Stripe's response as one object; `what`: its expected type.
fn object_of(answer: &Answer, kind: Kind, id: &str) -> std::result::Result<Box<RawValue>, StripeError> {
    let object: Value = answer.read()?;
    if object["id"] != id || object["object"] != kind.object() {
        return Err(StripeError::Unreadable(format!("the response for {id} is another object")));
    }
    answer.read()
}

/// Stores a fetched object in the inbox, with all lines of an invoice or credit note, or all items
/// of a subscription; returns the event's id. `at`: the object is not older than this.
pub(super) async fn take(
    platform: &Platform,
    kind: Kind,
    id: &str,
    object: &RawValue,
    answer: &Answer,
    at: OffsetDateTime,
) -> Result<String> {
    let given = Given { at, api_version: &answer.api_version, livemode: platform.config.stripe_livemode };
    let completed = match kind {
        Kind::Invoice | Kind::CreditNote => with_all_lines(platform, kind, id, object).await?,
        Kind::Subscription => with_all_items(platform, id, object).await?,
        _ => None,
    };
    let body = fetched::event(kind, id, completed.as_deref().unwrap_or(object), given).map_err(|error| Error::Internal(error.into()))?;
    webhooks::take(platform, &body).await?;
    Ok(fetched::event_id(id, at))
}

/// None if it has them all already.
async fn with_all_lines(platform: &Platform, kind: Kind, id: &str, object: &RawValue) -> Result<Option<Box<RawValue>>> {
    let unreadable = |error: serde_json::Error| Error::from(StripeError::Unreadable(error.to_string()));
    let object: Value = serde_json::from_str(object.get()).map_err(unreadable)?;
    if !fetched::lacks_lines(&object) {
        return Ok(None);
    }
    let mut lines = Vec::new();
    for line in platform.stripe()?.lines(kind, id).await? {
        lines.push(serde_json::from_str(line.get()).map_err(unreadable)?);
    }
    serde_json::value::to_raw_value(&fetched::with_lines(object, lines)).map(Some).map_err(unreadable)
}

/// None if it has them all already.
async fn with_all_items(platform: &Platform, id: &str, subscription: &RawValue) -> Result<Option<Box<RawValue>>> {
    let unreadable = |error: serde_json::Error| Error::from(StripeError::Unreadable(error.to_string()));
    let subscription: Value = serde_json::from_str(subscription.get()).map_err(unreadable)?;
    if !fetched::lacks_items(&subscription) {
        return Ok(None);
    }
    let mut items = Vec::new();
    for item in platform.stripe()?.items(id).await? {
        items.push(serde_json::from_str(item.get()).map_err(unreadable)?);
    }
    serde_json::value::to_raw_value(&fetched::with_items(subscription, items)).map(Some).map_err(unreadable)
}

/// Fetches due objects, a limited number of each type; returns how many. Does nothing without a
/// client, or while another process runs it.
///
/// # Errors
/// Stripe is unavailable: the rest is left for the next run, which starts with another object.
pub async fn run(platform: &Platform, limit: i64) -> Result<u64> {
    if platform.stripe.is_none() || !features::current(platform).billing_enabled {
        return Ok(0);
    }
    let Some(lead) = Lead::take(&platform.db, Task::Fetch).await? else { return Ok(0) };
    let done = fetch_all(platform, limit).await;
    lead.give_up().await?;
    done
}

async fn fetch_all(platform: &Platform, limit: i64) -> Result<u64> {
    let mut done = 0;
    for event in waiting::waiting(&platform.db, platform.clock.now(), limit).await? {
        resolve(platform, &event).await?;
        done += 1;
    }
    for tie in ties::due(&platform.db, platform.clock.now(), limit).await? {
        resolve_tie(platform, &tie).await?;
        done += 1;
    }
    for invoice in store::incomplete_invoices(&platform.db, platform.clock.now(), limit).await? {
        complete(platform, Kind::Invoice, &invoice).await?;
        done += 1;
    }
    for subscription in store::incomplete_subscriptions(&platform.db, platform.clock.now(), limit).await? {
        complete(platform, Kind::Subscription, &subscription).await?;
        done += 1;
    }
    for credit_note in store::incomplete_credit_notes(&platform.db, platform.clock.now(), limit).await? {
        complete(platform, Kind::CreditNote, &credit_note).await?;
        done += 1;
    }
    Ok(done + lookups::run(platform, limit).await?)
}

/// Fetches a thin event's object, and gives the event the object's status.
async fn resolve(platform: &Platform, row: &waiting::Waiting) -> Result<()> {
    let event = Event::read(&row.payload);
    let related = event.related_object().and_then(|(kind, id)| Some((Kind::of_object(kind)?, id)));
    let mut unreachable = None;
    let attempt = match related {
        None => Attempt::ignored("a thin event about a type that is not mirrored"),
        Some((kind, id)) => match fetch(platform, kind, id).await {
            Ok(Fetched::Taken { event_id, .. }) => like_fetched(&event_id, waiting::fate(&platform.db, &event_id).await?),
            Ok(Fetched::Gone) => Attempt::ignored(format!("a thin event: {} {id} was deleted in Stripe", kind.object())),
            Err(Error::StripeRefused(why) | Error::StripeUnavailable(why)) => {
                let attempt = Attempt::failed(why.to_string()).after(row.attempts);
                unreachable = why.if_it_concerns_all();
                attempt
            }
            Err(error) => return Err(error),
        },
    };
    let attempt = Attempt { awaits_fetch: attempt.status == WebhookStatus::Failed, ..attempt };
    let record = Record { row: Some(row.id), event: &event, body: &row.payload, subject_id: None, attempt: &attempt };
    let mut transaction = platform.db.begin().await?;
    inbox::record(&mut transaction, &[record], platform.clock.now()).await?;
    transaction.commit().await?;
    metrics::counter!(telemetry::WEBHOOK_EVENTS, "type" => event.label(), "result" => attempt.status.as_str()).increment(1);
    unreachable.map_or(Ok(()), |error| Err(error.into()))
}

/// The result of a thin event whose object was stored as another event. From here on that one is
/// processed independently: retried, or queued until its customer is known.
fn like_fetched(event_id: &str, fate: Option<waiting::Fate>) -> Attempt {
    let Some(fate) = fate else { return Attempt::failed(format!("{event_id} is not in the inbox")) };
    let result = if fate.status == WebhookStatus::Applied {
        Attempt { status: WebhookStatus::Applied, ..Attempt::PENDING }
    } else {
        let reason = fate.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        Attempt::ignored(format!("its object was stored as {event_id}, which is {}{reason}", fate.status))
    };
    Attempt { customer: fate.customer, stripe_invoice_id: fate.stripe_invoice_id, ..result }
}

/// The result of fetching an object.
pub(super) enum Fetched {
    /// Stored as this event, dated before the request.
    Taken {
        event_id: String,
        at: OffsetDateTime,
    },
    Gone,
}

/// Fetches an object's current state and stores it in the inbox.
pub(super) async fn fetch(platform: &Platform, kind: Kind, id: &str) -> Result<Fetched> {
    let before = platform.clock.now();
    let answer = match platform.stripe()?.retrieve(kind, id).await {
        Ok(answer) => answer,
        Err(error) if error.is_missing() => return Ok(Fetched::Gone),
        Err(error) => return Err(error.into()),
    };
    let object: Value = answer.read()?;
    if object["deleted"] == Value::Bool(true) {
        return Ok(Fetched::Gone);
    }
    let object = object_of(&answer, kind, id)?;
    let at = answer.no_older_than(before);
    let event_id = take(platform, kind, id, &object, &answer, at).await?;
    Ok(Fetched::Taken { event_id, at })
}

/// Fetches an object with several events in one second whose order is unknown. The fetched state is
/// the newest only if it was requested after that second.
async fn resolve_tie(platform: &Platform, tie: &ties::Due) -> Result<()> {
    let Some(kind) = Kind::of_object(&tie.kind) else { return Ok(ties::over(&platform.db, &tie.object_id, tie.second).await?) };
    let mut unreachable = None;
    let error = match fetch(platform, kind, &tie.object_id).await {
        Ok(Fetched::Taken { at, .. }) if at < tie.second + Duration::SECOND => {
            "Stripe's clock is behind: the object is from the same second".to_owned()
        }
        // A deleted object has its own event.
        Ok(Fetched::Taken { .. } | Fetched::Gone) => return Ok(ties::over(&platform.db, &tie.object_id, tie.second).await?),
        Err(Error::StripeRefused(why) | Error::StripeUnavailable(why)) => {
            let error = why.to_string();
            unreachable = why.if_it_concerns_all();
            error
        }
        Err(error) => return Err(error),
    };
    ties::tried(&platform.db, &tie.object_id, &error, platform.clock.now()).await?;
    unreachable.map_or(Ok(()), |error| Err(error.into()))
}

/// Fetches an object with all of its lines or items.
async fn complete(platform: &Platform, kind: Kind, id: &str) -> Result<()> {
    let mut unreachable = None;
    let error = match fetch(platform, kind, id).await {
        Ok(Fetched::Taken { .. }) => None,
        Ok(Fetched::Gone) => Some(format!("the {} was deleted in Stripe", kind.object().replace('_', " "))),
        Err(Error::StripeRefused(why) | Error::StripeUnavailable(why)) => {
            let error = why.to_string();
            unreachable = why.if_it_concerns_all();
            Some(error)
        }
        Err(error) => return Err(error),
    };
    let mut transaction = platform.db.begin().await?;
    store::tried(&mut transaction, id, error.as_deref(), platform.clock.now()).await?;
    transaction.commit().await?;
    unreachable.map_or(Ok(()), |error| Err(error.into()))
}
