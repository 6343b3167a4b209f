//! The inbox for staff: listing events, and replaying them.

use super::{count, count_tie, scope, try_again};
use crate::{
    domain::{
        list::{ListQuery, Pagination, WebhookFilter},
        webhook::{WebhookDetail, WebhookPage, WebhookReplay, WebhookReplays},
    },
    service::{
        Error, Platform, Result,
        actor::By,
        features,
        parameter::{paging, value},
    },
    store::postgres::{
        audit,
        inbox::{self, Attempt, staff as store},
    },
    stripe::webhook::parsed::ParsedEvent,
};
use serde_json::json;

/// One page of the inbox.
#[tracing::instrument(name = "webhooks.list", level = "debug", skip_all)]
pub async fn list(platform: &Platform, query: ListQuery<WebhookFilter>) -> Result<WebhookPage> {
    let (page, limit) = paging(query.paging, u32::MAX)?;
    let filter = store::Filter {
        status: value("status", query.filter.status)?,
        event_type: value("type", query.filter.event_type)?.map(String::from),
        search: value("q", query.filter.q)?.map(String::from),
        limit: i64::from(limit.0),
        offset: page.offset(limit),
    };
    let events = store::list(&platform.db, &filter).await?;
    let counts = store::counts(&platform.db, &filter).await?;
    let total = counts.of(filter.status);
    Ok(WebhookPage { events, pagination: Pagination::new(page, limit, total), counts })
}

/// One event with its payload, by Stripe's id.
#[tracing::instrument(name = "webhooks.show", level = "debug", skip_all)]
pub async fn show(platform: &Platform, stripe_event_id: &str) -> Result<WebhookDetail> {
    store::event(&platform.db, storable(stripe_event_id)?).await?.ok_or(MISSING)
}

/// Applies a stored event again, in any status, with the code of a first delivery. Replays of the
/// same event are serialized. While billing is off the event stays queued.
#[tracing::instrument(name = "webhooks.replay", level = "debug", skip_all)]
pub async fn replay(platform: &Platform, by: &By, stripe_event_id: &str) -> Result<WebhookReplay> {
    let mut transaction = platform.db.begin().await?;
    let held = store::take(&mut transaction, storable(stripe_event_id)?).await?.ok_or(MISSING)?;
    let parsed = ParsedEvent::parse(&held.payload, scope(platform));
    let event = &parsed.event;
    let attempt = if features::current(platform).billing_enabled {
        try_again(&mut transaction, platform, held.id, &parsed, held.attempts).await?
    } else {
        Attempt::PENDING
    };
    let (status, customer) = (attempt.status, attempt.customer.or(held.customer));
    let data = json!({"stripe_event_id": event.id, "event_type": event.event_type, "status_before": held.status, "status": status});
    audit::record(&mut transaction, by.entry("webhook.replayed", customer, data)).await?;
    transaction.commit().await?;
    count(event, status.as_str());
    count_tie(platform, event, &attempt);
    Ok(WebhookReplay { id: event.id.clone(), status_before: held.status, status, error: attempt.reason })
}

/// Replays failed events, including those no longer retried: at most `limit`, one transaction each.
pub async fn replay_failed(platform: &Platform, by: &By, limit: u32) -> Result<WebhookReplays> {
    let unsettled = inbox::unsettled(&platform.db).await?;
    let ids = store::failures(&platform.db, i64::from(limit)).await?;
    let mut replays = WebhookReplays::default();
    for id in &ids {
        let replay = replay(platform, by, id).await?;
        replays.replayed += 1;
        replays.still_failing += u64::from(replay.status.is_failure());
    }
    replays.left = u64::try_from(unsettled.failed + unsettled.dead).unwrap_or(0).saturating_sub(replays.replayed);
    Ok(replays)
}

const MISSING: Error = Error::NotFound("webhook event");

/// PostgreSQL's text can't contain NUL, so no event has such an id.
fn storable(stripe_event_id: &str) -> Result<&str> {
    if stripe_event_id.contains('\0') { Err(MISSING) } else { Ok(stripe_event_id) }
}
