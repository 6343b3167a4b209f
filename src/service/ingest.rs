//! Ingest of usage events.

mod admission;

pub use admission::{Admission, Admitted, Allowance};

use super::{
    Error, Platform, Result,
    alerts::{self, Caps, Decided},
    features,
};
use crate::{
    domain::{
        error_code::ErrorCode,
        features::Feature,
        identity::CustomerId,
        usage_event::{Correction, Entry, Placed, Rejection, RejectionCode, UsageEvent},
    },
    store::{
        postgres::usage::{ids, retention},
        usage::Corrected,
    },
    telemetry,
};
use serde::{
    Deserializer, Serialize,
    de::{DeserializeSeed, Error as _, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{collections::HashSet, fmt};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Maximum number of events per request.
pub const MAX_EVENTS: usize = 10_000;

/// Maximum number of corrections among them: each needs its own look-up.
pub const MAX_CORRECTIONS: usize = 500;

/// The body's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object, or an array of them.
    Json,
    /// One JSON object per line.
    Ndjson,
}

/// The result of a request's events. Accepted events are durable.
#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = UsageReceipt)]
pub struct Receipt {
    pub accepted: u64,
    pub duplicates: u64,
    pub rejected: Vec<Rejection>,
}

impl Receipt {
    fn note(&mut self, index: usize, correction: &Correction, corrected: Corrected) {
        match corrected {
            Corrected::Done { .. } => self.accepted += 1,
            Corrected::Duplicate => self.duplicates += 1,
            Corrected::Unknown => {
                let detail = format!("no event `{}` has this metric, app_id and timestamp", correction.corrects);
                self.rejected.push(Rejection::new(index, Some(&correction.event.id), RejectionCode::CorrectedEventUnknown, detail));
            }
        }
    }
}

/// Checks a request against its key's limits.
///
/// # Errors
/// `usage_ingest_disabled`, `rate_limited`, `overloaded`; nothing of the request is stored then.
pub fn admit(platform: &Platform, key: Uuid, declared: usize) -> Result<Admitted> {
    features::require(platform, Feature::UsageIngest)?;
    platform.admission.admit(key, declared, platform.clock.now())
}

/// Accepts the body's valid events, once each; an invalid event does not reject the others.
pub async fn ingest(platform: &Platform, customer: CustomerId, format: Format, body: &[u8]) -> Result<Receipt> {
    store(platform, customer, parse(platform, format, body)?).await
}

/// The same for an admitted request: its key is charged for every event, valid or not.
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
    let text = std::str::from_utf8(body)
        .map_err(|_| Error::refused(ErrorCode::NotUtf8, "The body is not UTF-8. Nothing was stored. Encode it as UTF-8."))?;
    read(format, text, platform.clock.now())
}

/// Corrections first, then caps decide which events are accepted: a correction may reduce usage
/// below a cap. A correction of an event in the same request, or with the same id, is applied after
/// the events.
#[tracing::instrument(name = "usage.ingest", level = "debug", skip_all)]
async fn store(platform: &Platform, customer: CustomerId, contents: Contents) -> Result<Receipt> {
    telemetry::request::note_usage_events(contents.len(), contents.only_id());
    let items = contents.len();
    let Contents { events, corrections, rejected } = contents;
    let mut receipt = Receipt { accepted: 0, duplicates: 0, rejected };
    let (caps, later) = correct_known(platform, customer, &events, corrections, &mut receipt).await?;
    let Decided { taken, refused } = caps.decide(platform, events).await?;
    // If the request has several items, the response has each.
    if !refused.is_empty() && refused.len() == items {
        metrics::counter!(telemetry::USAGE_EVENTS, "result" => "rejected").increment(refused.len() as u64);
        return Err(caps.error(&refused));
    }
    receipt.rejected.extend(refused.iter().map(|(index, event)| caps.rejection(*index, event)));
    let good = taken.len() as u64;
    let fresh = without_repeats(taken);
    let _turn = platform.admission.turn().await;
    let accepted = if fresh.is_empty() { 0 } else { platform.usage.accept(customer, &fresh).await? };
    receipt.accepted += accepted;
    receipt.duplicates += good - accepted;
    for (index, correction) in later {
        let corrected = platform.usage.correct(customer, &correction).await?;
        receipt.note(index, &correction, corrected);
        platform.caps.forget(customer);
    }
    receipt.rejected.sort_by_key(|rejection| rejection.index);
    for (result, count) in [("accepted", receipt.accepted), ("duplicate", receipt.duplicates), ("rejected", receipt.rejected.len() as u64)]
    {
        metrics::counter!(telemetry::USAGE_EVENTS, "result" => result).increment(count);
    }
    Ok(receipt)
}

/// Applies the corrections of events from before this request. Returns the caps afterwards, and the
/// corrections that must wait for this request's events.
async fn correct_known(
    platform: &Platform,
    customer: CustomerId,
    events: &[Placed],
    corrections: Vec<(usize, Correction)>,
    receipt: &mut Receipt,
) -> Result<(Caps, Vec<(usize, Correction)>)> {
    if corrections.is_empty() {
        return Ok((Caps::of(platform, customer).await?, Vec::new()));
    }
    let mut caps = Caps::as_of_now(platform, customer).await?;
    let sent: HashSet<&str> = events.iter().map(|(_, event)| event.id.as_str()).collect();
    let (mut later, mut waiting) = (Vec::new(), HashSet::new());
    let mut any = false;
    let turn = platform.admission.turn().await;
    for (index, correction) in corrections {
        // Corrections of one event stay in their order.
        let mut waits = sent.contains(correction.event.id.as_str()) || waiting.contains(&correction.corrects);
        if !waits {
            match platform.usage.correct(customer, &correction).await? {
                Corrected::Unknown if sent.contains(correction.corrects.as_str()) => waits = true,
                corrected => {
                    if let Corrected::Done { before } = corrected {
                        caps.corrected(&correction.event, before);
                        any = true;
                    }
                    receipt.note(index, &correction, corrected);
                }
            }
        }
        if waits {
            waiting.insert(correction.corrects.clone());
            later.push((index, correction));
        }
    }
    drop(turn);
    if any {
        caps.remember(platform);
        alerts::rearm_after_correction(platform, customer).await?;
    }
    Ok((caps, later))
}

/// The first of several events with the same id.
fn without_repeats(mut events: Vec<UsageEvent>) -> Vec<UsageEvent> {
    let mut seen = HashSet::with_capacity(events.len());
    let first: Vec<bool> = events.iter().map(|event| seen.insert(event.id.as_str())).collect();
    let mut first = first.into_iter();
    events.retain(|_| first.next().unwrap_or(true));
    events
}

/// A request's parsed entries with their indexes.
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

    /// The id of a single event.
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
    let parts = match format {
        Format::Ndjson => lines(text),
        Format::Json => items(without_mark(text))?,
    };
    if parts.len() > MAX_EVENTS {
        return Err(Error::refused(
            ErrorCode::TooManyEvents,
            format!("The request has more than {MAX_EVENTS} events. Nothing was stored. Split it."),
        ));
    }
    let mut contents = Contents { events: Vec::with_capacity(parts.len()), ..Contents::default() };
    for (index, part) in parts.into_iter().enumerate() {
        match Entry::read(index, part, now) {
            Ok(Entry::Event(event)) => contents.events.push((index, event)),
            Ok(Entry::Correction(correction)) if contents.corrections.len() < MAX_CORRECTIONS => {
                contents.corrections.push((index, correction))
            }
            Ok(Entry::Correction(correction)) => {
                let detail = format!("a request may have at most {MAX_CORRECTIONS} corrections");
                contents.rejected.push(Rejection::new(index, Some(&correction.event.id), RejectionCode::TooManyCorrections, detail));
            }
            Err(rejection) => contents.rejected.push(rejection),
        }
    }
    Ok(contents)
}

/// Text may begin with a byte order mark (RFC 8259, section 8.1 leaves this to the parser).
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The non-empty lines, up to one more than allowed. Concatenated files may have a byte order mark
/// each.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(|line| without_mark(line).trim()).filter(|line| !line.is_empty()).take(MAX_EVENTS + 1).collect()
}

/// The items of an array, or the text's single value. Reading stops at one more item than allowed.
fn items(text: &str) -> Result<Vec<&str>> {
    if !text.trim_start().starts_with('[') {
        let item: &RawValue = serde_json::from_str(text).map_err(invalid_json)?;
        return Ok(vec![item.get()]);
    }
    let mut items = Vec::new();
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Items(&mut items).deserialize(&mut json).and_then(|()| json.end());
    if items.len() <= MAX_EVENTS {
        read.map_err(invalid_json)?;
    }
    Ok(items)
}

/// Collects an array's items as unparsed text.
struct Items<'a, 'de>(&'a mut Vec<&'de str>);

impl<'de> DeserializeSeed<'de> for Items<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> std::result::Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut array: S) -> std::result::Result<(), S::Error> {
        while self.0.len() <= MAX_EVENTS {
            match array.next_element::<&RawValue>()? {
                Some(item) => self.0.push(item.get()),
                None => return Ok(()),
            }
        }
        Err(S::Error::custom("too many events"))
    }
}

fn invalid_json(error: serde_json::Error) -> Error {
    Error::refused(ErrorCode::InvalidJson, format!("The body is not JSON: {error}. Nothing was stored."))
}

/// Creates partitions and eras for events of accepted ages, two months ahead.
pub async fn prepare(platform: &Platform) -> Result<()> {
    let now = platform.clock.now();
    Ok(platform.usage.prepare(now - Duration::days(40), now + Duration::days(62)).await?)
}

/// Deletes raw events older than the retention, and expired deduplication keys.
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

/// Counts accepted events; returns how many. While ClickHouse is unavailable they stay queued,
/// which is not an error.
pub async fn settle(platform: &Platform) -> Result<u64> {
    let settled = platform.usage.settle().await;
    let behind = platform.usage.condition().await.behind;
    metrics::gauge!(telemetry::USAGE_BEHIND_SECONDS).set(behind.as_secs_f64());
    match settled {
        Err(error) if error.is_of_clickhouse() => Ok(0),
        settled => Ok(settled?),
    }
}
