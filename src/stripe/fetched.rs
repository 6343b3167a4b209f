//! Wraps a fetched object as an event, so that it goes through the inbox like all others, and a
//! replay has the same result.

use crate::domain::mirror::Kind;
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use time::OffsetDateTime;

/// When and how an object was fetched.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The time before the request: the object had this state then or later, so an event of the
    /// same second is newer.
    pub at: OffsetDateTime,
    pub api_version: &'a str,
    /// The key's mode.
    pub livemode: Option<bool>,
}

/// The event id of a fetched object: the same if it is fetched again within the second.
pub fn event_id(object_id: &str, at: OffsetDateTime) -> String {
    format!("fetched_{object_id}_{}", at.unix_timestamp())
}

/// The body of the event; `object` stays byte for byte.
pub fn event(kind: Kind, object_id: &str, object: &RawValue, given: Given<'_>) -> Result<String, serde_json::Error> {
    body(event_id(object_id, given.at), kind.event_type(), object, given)
}

/// The body of an event for a fetched object that was deleted: `object` is its last known state.
pub fn deletion(kind: Kind, object_id: &str, object: &RawValue, given: Given<'_>) -> Result<String, serde_json::Error> {
    let event_type = format!("{}.deleted", kind.object());
    body(format!("{}_deleted", event_id(object_id, given.at)), &event_type, object, given)
}

fn body(id: String, event_type: &str, object: &RawValue, given: Given<'_>) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        id: String,
        object: &'static str,
        #[serde(rename = "type")]
        event_type: &'a str,
        api_version: &'a str,
        created: i64,
        livemode: Option<bool>,
        data: Data<'a>,
    }
    #[derive(Serialize)]
    struct Data<'a> {
        object: &'a RawValue,
    }
    serde_json::to_string(&Body {
        id,
        object: "event",
        event_type,
        api_version: given.api_version,
        created: given.at.unix_timestamp(),
        livemode: given.livemode,
        data: Data { object },
    })
}

/// Whether an invoice or a credit note lacks lines.
pub fn lacks_lines(object: &Value) -> bool {
    object["lines"]["has_more"] == Value::Bool(true)
}

/// The object with these complete lines.
pub fn with_lines(mut object: Value, lines: Vec<Value>) -> Value {
    object["lines"]["data"] = Value::Array(lines);
    object["lines"]["has_more"] = Value::Bool(false);
    object
}

/// Whether a subscription lacks items.
pub fn lacks_items(subscription: &Value) -> bool {
    subscription["items"]["has_more"] == Value::Bool(true)
}

/// The subscription with these complete items.
pub fn with_items(mut subscription: Value, items: Vec<Value>) -> Value {
    subscription["items"]["data"] = Value::Array(items);
    subscription["items"]["has_more"] = Value::Bool(false);
    subscription
}

/// Whether it is safe in a path of the API: a Stripe id without path syntax. The object's type
/// determines the path.
pub fn is_askable(id: &str) -> bool {
    (1..=255).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::webhook::{event::Document, read};
    use serde_json::json;
    use time::macros::datetime;

    const GIVEN: Given<'_> = Given { at: datetime!(2026-11-22 15:50 UTC), api_version: "2026-07-29.dahlia", livemode: Some(false) };

    #[test]
    fn fetched_objects_parse_like_events() {
        let object =
            r#"{"id":"re_1", "object":"refund","amount":  5,"currency":"usd","created":1700000000,"charge":"ch_1","status":"succeeded"}"#;
        let body = event(Kind::Refund, "re_1", &RawValue::from_string(object.into()).unwrap(), GIVEN).unwrap();
        assert!(body.contains(object));
        let document = Document::read(&body);
        let event = &document.event;
        assert_eq!((event.id.as_str(), event.event_type.as_str()), ("fetched_re_1_1795362600", "refund.fetched"));
        assert_eq!((event.created, event.livemode), (Some(GIVEN.at), Some(false)));
        let read::Reading::Changes { subject, .. } = read::read(&document).unwrap() else { panic!("ignored") };
        assert_eq!((subject.stamp.created, subject.snapshot.id()), (GIVEN.at, "re_1"));
    }

    #[test]
    fn every_type_has_a_reader_and_a_label() {
        for kind in Kind::ALL {
            let object = json!({"id": "x_1", "object": kind.object(), "customer": "cus_1"}).to_string();
            let body = event(kind, "x_1", &RawValue::from_string(object).unwrap(), GIVEN).unwrap();
            let document = Document::read(&body);
            // A reader may reject an object with only an id, but never ignores it.
            assert!(!matches!(read::read(&document), Ok(read::Reading::Ignored(_))), "{kind:?}");
            assert_eq!(document.event.label(), kind.event_type());
            assert_eq!(Kind::of_object(kind.object()), Some(kind));
        }
    }

    #[test]
    fn only_valid_ids_become_part_of_a_path() {
        for id in ["", "in_1/../../v1/payouts", "in_1?expand[]=x", "in_1#", "in 1", "%2e%2e", "..", "é", &"x".repeat(256)] {
            assert!(!is_askable(id), "{id}");
        }
        assert!(is_askable("in_1N-aZ09"));
    }
}
