//! A usage event, validated field by field.

mod rejection;

pub use rejection::{Rejection, RejectionCode};

use super::metric::Metric;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::borrow::Cow;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// Maximum age of events; earlier periods are closed.
pub const MAX_AGE: Duration = Duration::days(35);
/// Maximum time in the future, for senders' clocks.
pub const MAX_AHEAD: Duration = Duration::minutes(5);
/// Maximum size of `properties`, as JSON.
pub const MAX_PROPERTIES_BYTES: usize = 4096;

/// A valid usage event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageEvent {
    /// Chosen by the sender, unique per customer.
    pub id: String,
    pub metric: Metric,
    /// In the metric's own unit.
    pub quantity: u64,
    pub timestamp: OffsetDateTime,
    pub app_id: String,
    /// A JSON object, as text.
    pub properties: Option<String>,
}

/// A correction: the event again with the right quantity (0 cancels it) and a new id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The id of the corrected event, which has the same metric, app and timestamp.
    pub corrects: String,
    pub event: UsageEvent,
}

/// One entry of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Event(UsageEvent),
    Correction(Correction),
}

impl Entry {
    /// Parses one JSON object; `index` is its index in the request.
    pub fn read(index: usize, json: &str, now: OffsetDateTime) -> Result<Entry, Rejection> {
        if let Some(event) = serde_json::from_str::<Plain<'_>>(json).ok().and_then(|plain| plain.check(now)) {
            return Ok(Entry::Event(event));
        }
        read_draft(index, json, now)
    }
}

/// Reads any spelling of an event, field by field.
fn read_draft(index: usize, json: &str, now: OffsetDateTime) -> Result<Entry, Rejection> {
    let draft: Draft = serde_json::from_str(json).map_err(|error| {
        let code = if error.is_data() { RejectionCode::InvalidEvent } else { RejectionCode::InvalidJson };
        Rejection::new(index, None, code, error.to_string())
    })?;
    let id = draft.id.as_ref().and_then(Value::as_str).map(str::to_owned);
    draft.check(now).map_err(|(code, detail)| Rejection::new(index, id.as_deref(), code, detail))
}

/// An event with its index in the request, from 0.
pub type Placed = (usize, UsageEvent);

/// Properties up to this size are stored as they were written, if they contain no escapes: their
/// normalised form can't exceed the limit.
const PLAIN_PROPERTIES_BYTES: usize = 512;

/// The usual form of an event. Every other form is parsed as a [`Draft`], which is slower and
/// reports what is wrong.
#[derive(Deserialize)]
struct Plain<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    metric: Cow<'a, str>,
    quantity: u64,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    app_id: Cow<'a, str>,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
    #[serde(borrow, default)]
    corrects: Option<&'a RawValue>,
}

impl Plain<'_> {
    /// None: parse it as a [`Draft`].
    fn check(self, now: OffsetDateTime) -> Option<UsageEvent> {
        let metric: Metric = self.metric.parse().ok()?;
        let quantity = Some(self.quantity).filter(|quantity| (1..=metric.unit().max_per_event()).contains(quantity))?;
        let timestamp = OffsetDateTime::parse(&self.timestamp, &Rfc3339).ok()?;
        let properties = match self.properties {
            None => None,
            Some(json) => Some(Some(json.get()).filter(|json| is_plain_object(json))?.to_owned()),
        };
        let usable = is_name(&self.id, 255)
            && is_name(&self.app_id, 128)
            && timestamp >= now - MAX_AGE
            && timestamp <= now + MAX_AHEAD
            && self.corrects.is_none();
        usable.then(|| UsageEvent { id: self.id.into_owned(), metric, quantity, timestamp, app_id: self.app_id.into_owned(), properties })
    }
}

/// Whether it is short, an object, and without JSON that a database could refuse: escapes of
/// invalid characters, numbers with exponents.
fn is_plain_object(json: &str) -> bool {
    let bytes = json.as_bytes();
    json.len() <= PLAIN_PROPERTIES_BYTES
        && json.starts_with('{')
        && !bytes.contains(&b'\\')
        && !bytes.windows(2).any(|pair| matches!(pair, [b'0'..=b'9', b'e' | b'E']))
}

/// An event as clients may send it. Missing fields and wrong types are reported for each field.
#[derive(Deserialize)]
struct Draft {
    id: Option<Value>,
    metric: Option<Value>,
    quantity: Option<Value>,
    timestamp: Option<Value>,
    app_id: Option<Value>,
    properties: Option<Value>,
    corrects: Option<Value>,
}

impl Draft {
    fn check(self, now: OffsetDateTime) -> Result<Entry, (RejectionCode, String)> {
        let corrects = match self.corrects {
            None | Some(Value::Null) => None,
            other => {
                let invalid = || (RejectionCode::InvalidCorrects, "corrects must be the id of another event".to_owned());
                Some(name(other, 255).filter(|corrects| self.id.as_ref().and_then(Value::as_str) != Some(corrects)).ok_or_else(invalid)?)
            }
        };
        let id = name(self.id, 255).ok_or_else(|| (RejectionCode::InvalidId, "id must have 1 to 255 printable characters".to_owned()))?;
        let metric = match self.metric {
            Some(Value::String(metric)) => {
                metric.parse::<Metric>().map_err(|detail| (RejectionCode::UnknownMetric, detail.chars().take(300).collect()))?
            }
            _ => return Err((RejectionCode::UnknownMetric, format!("metric must be one of {}", Metric::names().join(", ")))),
        };
        // A correction may withdraw an event.
        let (least, most) = (if corrects.is_some() { 0 } else { 1 }, metric.unit().max_per_event());
        let quantity =
            self.quantity.as_ref().and_then(Value::as_u64).filter(|quantity| (least..=most).contains(quantity)).ok_or_else(|| {
                (RejectionCode::InvalidQuantity, format!("quantity of {metric} must be an integer from {least} to {most}"))
            })?;
        let timestamp =
            self.timestamp.as_ref().and_then(Value::as_str).and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok()).ok_or_else(
                || (RejectionCode::InvalidTimestamp, "timestamp must be an RFC 3339 instant such as 2026-11-22T15:49:59.120Z".to_owned()),
            )?;
        if timestamp < now - MAX_AGE {
            return Err((RejectionCode::TimestampTooOld, "timestamp may be at most 35 days old".to_owned()));
        }
        if timestamp > now + MAX_AHEAD {
            return Err((RejectionCode::TimestampInFuture, "timestamp may be at most 5 minutes ahead".to_owned()));
        }
        let app_id = name(self.app_id, 128)
            .ok_or_else(|| (RejectionCode::InvalidAppId, "app_id must have 1 to 128 printable characters".to_owned()))?;
        let properties = match self.properties {
            None | Some(Value::Null) => None,
            Some(object @ Value::Object(_)) => Some(object.to_string()),
            Some(_) => return Err((RejectionCode::InvalidProperties, "properties must be a JSON object".to_owned())),
        };
        // PostgreSQL's jsonb can't hold the character U+0000.
        if properties.as_ref().is_some_and(|json| json.len() > MAX_PROPERTIES_BYTES || json.contains("\\u0000")) {
            return Err((
                RejectionCode::InvalidProperties,
                format!("properties must have at most {MAX_PROPERTIES_BYTES} bytes and no NUL character"),
            ));
        }
        let event = UsageEvent { id, metric, quantity, timestamp, app_id, properties };
        Ok(match corrects {
            Some(corrects) => Entry::Correction(Correction { corrects, event }),
            None => Entry::Event(event),
        })
    }
}

fn name(value: Option<Value>, max: usize) -> Option<String> {
    match value {
        Some(Value::String(text)) if is_name(&text, max) => Some(text),
        _ => None,
    }
}

fn is_name(text: &str, max: usize) -> bool {
    if text.is_ascii() {
        return text.len() <= max && text.bytes().any(|b| b.is_ascii_graphic()) && !text.bytes().any(|b| b.is_ascii_control());
    }
    !text.trim().is_empty() && text.chars().count() <= max && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-22 15:50 UTC);

    fn read(text: &str) -> Result<UsageEvent, Rejection> {
        match Entry::read(7, text, NOW)? {
            Entry::Event(event) => Ok(event),
            Entry::Correction(correction) => panic!("{correction:?}"),
        }
    }

    fn with(field: &str, value: Value) -> Result<UsageEvent, Rejection> {
        let mut event = serde_json::json!({"id": "e1", "metric": "impressions", "quantity": 1, "timestamp": "2026-11-22T15:49:59.120Z",
            "app_id": "app_42", "properties": {"placement": "rewarded"}});
        event[field] = value;
        read(&event.to_string())
    }

    #[test]
    fn the_contracts_example_is_valid() {
        let event = with("id", "b1c2".into()).unwrap();
        assert_eq!((event.id.as_str(), event.metric, event.quantity, event.app_id.as_str()), ("b1c2", Metric::Impressions, 1, "app_42"));
        assert_eq!(event.properties.as_deref(), Some(r#"{"placement":"rewarded"}"#));
    }

    #[test]
    fn errors_name_the_invalid_field() {
        for (field, value, code) in [
            ("id", Value::Null, RejectionCode::InvalidId),
            ("id", "".into(), RejectionCode::InvalidId),
            ("id", "a\u{0}b".into(), RejectionCode::InvalidId),
            ("id", "x".repeat(256).into(), RejectionCode::InvalidId),
            ("metric", "clicks".into(), RejectionCode::UnknownMetric),
            ("metric", 7.into(), RejectionCode::UnknownMetric),
            ("quantity", 0.into(), RejectionCode::InvalidQuantity),
            ("quantity", (-5).into(), RejectionCode::InvalidQuantity),
            ("quantity", 1.5.into(), RejectionCode::InvalidQuantity),
            ("quantity", "1".into(), RejectionCode::InvalidQuantity),
            ("quantity", u64::MAX.into(), RejectionCode::InvalidQuantity),
            ("timestamp", "yesterday".into(), RejectionCode::InvalidTimestamp),
            ("timestamp", 1_700_000_000.into(), RejectionCode::InvalidTimestamp),
            ("timestamp", "2026-10-18T15:49:59Z".into(), RejectionCode::TimestampTooOld),
            ("timestamp", "2026-11-22T15:55:01Z".into(), RejectionCode::TimestampInFuture),
            ("app_id", Value::Null, RejectionCode::InvalidAppId),
            ("properties", Value::Array(vec![]), RejectionCode::InvalidProperties),
            ("properties", serde_json::json!({"a": "\u{0}"}), RejectionCode::InvalidProperties),
            ("properties", serde_json::json!({"a": "x".repeat(5000)}), RejectionCode::InvalidProperties),
            ("corrects", "e1".into(), RejectionCode::InvalidCorrects),
            ("corrects", "".into(), RejectionCode::InvalidCorrects),
            ("corrects", 7.into(), RejectionCode::InvalidCorrects),
        ] {
            let rejection = with(field, value.clone()).unwrap_err();
            assert_eq!((rejection.code, rejection.index), (code, 7), "{field} = {value}");
        }
    }

    #[test]
    fn corrections_repeat_the_event_and_may_be_zero() {
        let mut text = serde_json::json!({"id": "c1", "corrects": "e1", "metric": "impressions", "quantity": 0, "timestamp": "2026-11-22T15:49:59.120Z",
            "app_id": "app_42"});
        let Ok(Entry::Correction(correction)) = Entry::read(0, &text.to_string(), NOW) else { panic!("{text}") };
        assert_eq!((correction.corrects.as_str(), correction.event.id.as_str(), correction.event.quantity), ("e1", "c1", 0));
        text["quantity"] = (-1).into();
        assert_eq!(
            Entry::read(0, &text.to_string(), NOW).unwrap_err().detail,
            "quantity of impressions must be an integer from 0 to 1000000000000"
        );
    }

    #[test]
    fn a_days_bytes_of_a_cdn_are_one_event() {
        let read = |metric: &str, quantity: u64| {
            let event =
                serde_json::json!({"id": "e1", "metric": metric, "quantity": quantity, "timestamp": "2026-11-22T15:49:59Z", "app_id": "a"});
            Entry::read(0, &event.to_string(), NOW).map(drop).map_err(|rejection| (rejection.code, rejection.detail))
        };
        assert_eq!(read("data_transfer_bytes", 2_000_000_000_000), Ok(()));
        assert_eq!(read("data_transfer_bytes", 1_000_000_000_000_000), Ok(()));
        let (code, detail) = read("data_transfer_bytes", 1_000_000_000_000_001).unwrap_err();
        assert_eq!(code, RejectionCode::InvalidQuantity);
        assert_eq!(detail, "quantity of data_transfer_bytes must be an integer from 1 to 1000000000000000");
        assert_eq!(read("impressions", 1_000_000_000_001).unwrap_err().0, RejectionCode::InvalidQuantity);
    }

    #[test]
    fn the_limits_of_time_are_inclusive() {
        assert!(with("timestamp", "2026-10-18T15:50:00Z".into()).is_ok());
        assert!(with("timestamp", "2026-11-22T15:55:00Z".into()).is_ok());
    }

    #[test]
    fn properties_that_postgresql_cannot_store_are_rejected() {
        for (json, taken) in [
            (r#"{"a": 1, "b": {"c": [true, null]}}"#, true),
            (r#"{"a": 1e999999}"#, false),
            (r#"{"a": "\ud800"}"#, false),
            (r#"{"a": "\u0000"}"#, false),
            (r#"{"a": "\u00e4 9e9"}"#, true),
            ("[]", false),
            ("7", false),
            ("null", true),
        ] {
            let event = format!(
                r#"{{"id": "e1", "metric": "impressions", "quantity": 1, "timestamp": "2026-11-22T15:49:59Z", "app_id": "a", "properties": {json}}}"#
            );
            assert_eq!(Entry::read(0, &event, NOW).is_ok(), taken, "{json}");
        }
    }

    /// A value of any type for a field, often a valid one.
    fn field(right: &'static [&'static str]) -> impl Strategy<Value = String> {
        let other = prop::sample::select(vec![
            "null",
            "0",
            "1",
            "-1",
            "1.0",
            "1e2",
            "18446744073709551616",
            r#""""#,
            r#"" ""#,
            r#""\u0000""#,
            r#""\u00e4""#,
            r#""\ud800""#,
            "[]",
            "{}",
            r#"{"a": 1}"#,
            r#"{"a": 1e2}"#,
            r#"{"a": "\\"}"#,
            "tru",
            r#""2026-10-18T15:49:59Z""#,
            r#""2026-11-22T15:55:01Z""#,
        ]);
        prop_oneof![4 => prop::sample::select(right.to_vec()), 1 => other].prop_map(str::to_owned)
    }

    proptest! {
        #[test]
        fn the_fast_and_the_slow_path_agree(
            id in field(&[r#""e1""#, r#""\u00e41""#]),
            metric in field(&[r#""impressions""#, r#""api_calls""#, r#""data_transfer_bytes""#]),
            quantity in field(&["1", "1000000000000", "1000000000001", "1000000000000000", "1000000000000001"]),
            timestamp in field(&[r#""2026-11-22T15:49:59.120Z""#, r#""2026-11-22T16:49:59+01:00""#]),
            app_id in field(&[r#""app""#]),
            properties in field(&["null", "{}", r#"{"placement": "rewarded", "n": 1.5}"#]),
            more in prop::sample::select(vec!["", r#", "corrects": null"#, r#", "corrects": "e0""#, r#", "id": "e2""#, r#", "other": [1]"#, "}", ","]),
        ) {
            let json = format!(
                r#"{{"id": {id}, "metric": {metric}, "quantity": {quantity}, "timestamp": {timestamp}, "app_id": {app_id}, "properties": {properties}{more}}}"#
            );
            let read = Entry::read(3, &json, NOW);
            let long = read_draft(3, &json, NOW);
            let parsed = |entry: Entry| {
                let (event, corrects) = match entry {
                    Entry::Event(event) => (event, None),
                    Entry::Correction(Correction { event, corrects }) => (event, Some(corrects)),
                };
                let properties = event.properties.as_deref().map(|json| serde_json::from_str::<Value>(json).unwrap());
                (UsageEvent { properties: None, ..event }, properties, corrects)
            };
            prop_assert_eq!(read.map(parsed), long.map(parsed), "{}", json);
        }

        #[test]
        fn any_text_is_an_event_or_a_rejection(text in any::<String>()) {
            drop(Entry::read(0, &text, NOW));
        }
    }
}
