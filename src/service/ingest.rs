//! Usage events coming in.

use super::{Error, Platform, Result, alerts};
use crate::{
    domain::{
        identity::CustomerId,
        usage_event::{Correction, Entry, Placed, Rejection, UsageEvent},
    },
    store::usage::Corrected,
    telemetry,
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::HashSet;
use time::{Duration, OffsetDateTime};

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
#[derive(Debug, PartialEq, Serialize)]
pub struct Receipt {
    pub accepted: u64,
    pub duplicates: u64,
    pub rejected: Vec<Rejection>,
}

/// Takes what is good of the body's events, once each; one bad event does not reject the others.
pub async fn ingest(platform: &Platform, customer: CustomerId, format: Format, body: &[u8]) -> Result<Receipt> {
    let text = std::str::from_utf8(body).map_err(|_| Error::BadRequest { code: "not_utf8", detail: "the body is not UTF-8".into() })?;
    let Contents { events, corrections, mut rejected } = read(format, text, platform.clock.now())?;
    let events = alerts::within_caps(platform, customer, events, &mut rejected).await?;
    let good = events.len();
    let mut seen = HashSet::with_capacity(good);
    let fresh: Vec<UsageEvent> = events.into_iter().filter(|event| seen.insert(event.id.clone())).collect();
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

/// A request's entries, sorted out, with their places in it.
#[derive(Default)]
struct Contents {
    events: Vec<Placed>,
    corrections: Vec<(usize, Correction)>,
    rejected: Vec<Rejection>,
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
