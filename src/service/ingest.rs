//! Usage events coming in.

use super::{Error, Platform, Result, alerts};
use crate::{
    domain::{
        identity::CustomerId,
        usage_event::{Placed, Rejection, UsageEvent},
    },
    store::postgres::usage as store,
    telemetry,
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::HashSet;
use time::{Duration, OffsetDateTime};

/// Most events that one request may bring.
pub const MAX_EVENTS: usize = 10_000;

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
    let (events, mut rejected) = read(format, text, platform.clock.now())?;
    let events = alerts::within_caps(platform, customer, events, &mut rejected).await?;
    let good = events.len();
    let mut seen = HashSet::with_capacity(good);
    let fresh: Vec<UsageEvent> = events.into_iter().filter(|event| seen.insert(event.id.clone())).collect();
    let accepted = if fresh.is_empty() { 0 } else { store::ingest(&platform.db, customer, &fresh).await? };
    let duplicates = good as u64 - accepted;
    for (result, count) in [("accepted", accepted), ("duplicate", duplicates), ("rejected", rejected.len() as u64)] {
        metrics::counter!(telemetry::USAGE_EVENTS, "result" => result).increment(count);
    }
    Ok(Receipt { accepted, duplicates, rejected })
}

fn read(format: Format, text: &str, now: OffsetDateTime) -> Result<(Vec<Placed>, Vec<Rejection>)> {
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
    let (mut events, mut rejected) = (Vec::with_capacity(parts.len()), Vec::new());
    for (index, part) in parts.into_iter().enumerate() {
        match UsageEvent::read(index, part, now) {
            Ok(event) => events.push((index, event)),
            Err(rejection) => rejected.push(rejection),
        }
    }
    Ok((events, rejected))
}

fn invalid_json(error: serde_json::Error) -> Error {
    Error::BadRequest { code: "invalid_json", detail: format!("the body is not JSON: {error}") }
}

/// Makes the partitions that events of the accepted ages go into, two months ahead.
pub async fn ensure_partitions(platform: &Platform) -> Result<()> {
    let now = platform.clock.now();
    Ok(store::ensure_partitions(&platform.db, now - Duration::days(40), now + Duration::days(62)).await?)
}
