//! Usage events coming in.

mod admission;

pub use admission::{Admission, Admitted, Allowance};

use super::{Error, Platform, Result, alerts, features};
use crate::{
    domain::{
        features::Feature,
        identity::CustomerId,
        usage_event::{Correction, Entry, Placed, Rejection, UsageEvent},
    },
    store::{
        postgres::usage::{ids, retention},
        usage::Corrected,
    },
    telemetry,
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::HashSet;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Most events that one request may bring.
pub const MAX_EVENTS: usize = 10_000;

/// Most corrections among them: each is looked up by itself.
pub const MAX_CORRECTIONS: usize = 500;

/// How the body holds its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object, or an array of them.
    Json,
    /// One JSON object per line.
    Ndjson,
}

/// What became of a request's events. What is accepted is durable.
#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = UsageReceipt)]
pub struct Receipt {
    pub accepted: u64,
    pub duplicates: u64,
    pub rejected: Vec<Rejection>,
}

/// Lets a request in whose key sends no more than it may.
///
/// # Errors
/// `usage_ingest_disabled`, `rate_limited`, `overloaded`; nothing of the request is taken then.
pub fn admit(platform: &Platform, key: Uuid, declared: usize) -> Result<Admitted> {
    features::require(platform, Feature::UsageIngest)?;
    platform.admission.admit(key, declared, platform.clock.now())
}

/// Takes what is good of the body's events, once each; one bad event does not reject the others.
pub async fn ingest(platform: &Platform, customer: CustomerId, format: Format, body: &[u8]) -> Result<Receipt> {
    store(platform, customer, parse(platform, format, body)?).await
}

/// The same for a request that was let in: its key is charged for every event, good or bad.
pub async fn ingest_admitted(
    platform: &Platform,
    admitted: &Admitted,
    customer: CustomerId,
    format: Format,
    body: &[u8],
) -> Result<(Receipt, Allowance)> {
    let parsed = parse(platform, format, body)?;
    let allowance = admitted.charge(parsed.len());
    Ok((store(platform, customer, parsed).await?, allowance))
}

fn parse(platform: &Platform, format: Format, body: &[u8]) -> Result<Contents> {
    let text = std::str::from_utf8(body).map_err(|_| Error::BadRequest { code: "not_utf8", detail: "the body is not UTF-8".into() })?;
    read(format, text, platform.clock.now())
}

#[tracing::instrument(name = "usage.ingest", level = "debug", skip_all)]
async fn store(platform: &Platform, customer: CustomerId, contents: Contents) -> Result<Receipt> {
    telemetry::request::note_usage_events(contents.len(), contents.only_id());
    let Contents { events, corrections, mut rejected } = contents;
    let events = alerts::within_caps(platform, customer, events, &mut rejected).await?;
    let good = events.len();
    let fresh = without_repeats(events);
    let _turn = platform.admission.turn().await;
    let mut accepted = if fresh.is_empty() { 0 } else { platform.usage.accept(customer, &fresh).await? };
    let mut duplicates = good as u64 - accepted;
    // After the events, so that what comes in one request may correct what came in it.
    for (index, correction) in corrections {
        match platform.usage.correct(customer, &correction).await? {
            Corrected::Done => accepted += 1,
            Corrected::Duplicate => duplicates += 1,
            Corrected::Unknown => {
                let detail = format!("there is no event `{}` with this metric, app_id and timestamp", correction.corrects);
                rejected.push(Rejection::new(index, Some(&correction.event.id), "corrected_event_unknown", detail));
            }
        }
    }
    rejected.sort_by_key(|rejection| rejection.index);
    for (result, count) in [("accepted", accepted), ("duplicate", duplicates), ("rejected", rejected.len() as u64)] {
        metrics::counter!(telemetry::USAGE_EVENTS, "result" => result).increment(count);
    }
    Ok(Receipt { accepted, duplicates, rejected })
}

/// Of events with the same id the first.
fn without_repeats(mut events: Vec<UsageEvent>) -> Vec<UsageEvent> {
    let mut seen = HashSet::with_capacity(events.len());
    let first: Vec<bool> = events.iter().map(|event| seen.insert(event.id.as_str())).collect();
    let mut first = first.into_iter();
    events.retain(|_| first.next().unwrap_or(true));
    events
}

/// A request's entries, sorted out, with their places in it.
#[derive(Default)]
struct Contents {
    events: Vec<Placed>,
    corrections: Vec<(usize, Correction)>,
    rejected: Vec<Rejection>,
}

impl Contents {
    fn len(&self) -> usize {
        self.events.len() + self.corrections.len() + self.rejected.len()
    }

    /// The id of an event that comes alone.
    fn only_id(&self) -> Option<&str> {
        match (&self.events[..], &self.corrections[..], &self.rejected[..]) {
            ([(_, event)], [], []) => Some(&event.id),
            ([], [(_, correction)], []) => Some(&correction.event.id),
            ([], [], [rejection]) => rejection.id.as_deref(),
            _ => None,
        }
    }
}

fn read(format: Format, text: &str, now: OffsetDateTime) -> Result<Contents> {
    let parts: Vec<&str> = match format {
        // One more than allowed is enough to refuse.
        Format::Ndjson => text.lines().filter(|line| !line.trim().is_empty()).take(MAX_EVENTS + 1).collect(),
        Format::Json if text.trim_start().starts_with('[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(invalid_json)?;
            items.into_iter().map(RawValue::get).collect()
        }
        Format::Json => {
            let item: &RawValue = serde_json::from_str(text).map_err(invalid_json)?;
            vec![item.get()]
        }
    };
    if parts.len() > MAX_EVENTS {
        return Err(Error::BadRequest {
            code: "too_many_events",
            detail: format!("a request may bring at most {MAX_EVENTS} events; none was taken"),
        });
    }
    let mut contents = Contents { events: Vec::with_capacity(parts.len()), ..Contents::default() };
    for (index, part) in parts.into_iter().enumerate() {
        match Entry::read(index, part, now) {
            Ok(Entry::Event(event)) => contents.events.push((index, event)),
            Ok(Entry::Correction(correction)) if contents.corrections.len() < MAX_CORRECTIONS => {
                contents.corrections.push((index, correction))
            }
            Ok(Entry::Correction(correction)) => {
                let detail = format!("a request may bring at most {MAX_CORRECTIONS} corrections");
                contents.rejected.push(Rejection::new(index, Some(&correction.event.id), "too_many_corrections", detail));
            }
            Err(rejection) => contents.rejected.push(rejection),
        }
    }
    Ok(contents)
}

fn invalid_json(error: serde_json::Error) -> Error {
    Error::BadRequest { code: "invalid_json", detail: format!("the body is not JSON: {error}") }
}

/// Makes ready what events of the accepted ages go into, two months ahead.
pub async fn prepare(platform: &Platform) -> Result<()> {
    let now = platform.clock.now();
    Ok(platform.usage.prepare(now - Duration::days(40), now + Duration::days(62)).await?)
}

/// Forgets raw events that are older than the settings say, and by what events were known that can't come again.
pub async fn forget(platform: &Platform) -> Result<()> {
    let now = platform.clock.now();
    let days = i64::from(platform.config.file.retention.raw_usage_event_days);
    for month in retention::drop_before(&platform.db, now - Duration::days(days)).await? {
        tracing::info!(month = %month.date(), "raw usage events dropped");
    }
    for era in ids::keep(&platform.db, now).await? {
        tracing::info!(era, "ids of usage events dropped");
    }
    Ok(())
}

/// Brings accepted events into the figures; how many. While ClickHouse is away they wait, which is no failure.
pub async fn settle(platform: &Platform) -> Result<u64> {
    let settled = platform.usage.settle().await;
    let behind = platform.usage.condition().await.behind;
    metrics::gauge!(telemetry::USAGE_BEHIND_SECONDS).set(behind.as_secs_f64());
    match settled {
        Err(error) if error.is_of_clickhouse() => Ok(0),
        settled => Ok(settled?),
    }
}
