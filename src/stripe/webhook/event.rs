//! The envelope of an event: the fields that all events have.

use super::field::{Field, FieldError, Read, is_id};
use serde_json_borrow::Value;
use sha2::{Digest, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The label of all types that are not applied.
const OTHER: &str = "other";

/// The event types that are a label of the metrics. `read` decides by prefix which are applied.
const LABELS: &[&str] = &[
    "billing.alert.triggered",
    "charge.captured",
    "charge.expired",
    "charge.failed",
    "charge.fetched",
    "charge.pending",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "credit_note.created",
    "credit_note.fetched",
    "credit_note.updated",
    "credit_note.voided",
    "customer.created",
    "customer.deleted",
    "customer.fetched",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.fetched",
    "customer.subscription.paused",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.created",
    "invoice.deleted",
    "invoice.fetched",
    "invoice.finalization_failed",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.overdue",
    "invoice.overpaid",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_attempt_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.sent",
    "invoice.updated",
    "invoice.voided",
    "invoice.will_be_due",
    "invoice_payment.canceled",
    "invoice_payment.created",
    "invoice_payment.detached",
    "invoice_payment.failed",
    "invoice_payment.fetched",
    "invoice_payment.overpaid",
    "invoice_payment.paid",
    "refund.canceled",
    "refund.created",
    "refund.failed",
    "refund.fetched",
    "refund.updated",
];

/// An event's envelope as signed. Only the id is certain: the other fields are validated when the
/// event is applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: String,
    pub event_type: String,
    pub created: Option<OffsetDateTime>,
    pub api_version: Option<String>,
    pub livemode: Option<bool>,
    /// The account of the event.
    pub account: Account,
    /// The event's object.
    pub object_id: Option<String>,
    /// Type and id of a thin event's object.
    related_object: Option<(String, String)>,
    unreadable: Option<FieldError>,
}

/// The account of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Account {
    /// The endpoint's or the key's own account: the event names none.
    #[default]
    Own,
    /// A connected account ("Connect webhooks": `account`), or an organization's ("Event
    /// destinations": `context`).
    Other(String),
    /// An account that can't be parsed.
    Unreadable,
}

/// An event with its object, borrowed from its body.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    pub event: Event,
    value: Value<'a>,
}

impl<'a> Document<'a> {
    /// Parses a signed body. An invalid body or one without a valid id gets its digest as its id,
    /// so that it is stored once too.
    pub fn read(body: &'a str) -> Document<'a> {
        let value: Value<'a> = serde_json::from_str(body).unwrap_or_default();
        let root = Field::root("event", &value);
        let token = |field: Field<'_>| field.text().ok().flatten().filter(|text| is_id(text)).map(str::to_owned);
        let event = Event {
            id: token(root.get("id")).unwrap_or_else(|| format!("sha256:{}", hex::encode(Sha256::digest(body)))),
            event_type: token(root.get("type")).unwrap_or_else(|| "unknown".into()),
            created: created(&root).ok().flatten(),
            api_version: token(root.get("api_version")),
            livemode: root.get("livemode").boolean().ok().flatten(),
            account: account(&root),
            object_id: token(root.get("data").get("object").get("id")).or_else(|| token(root.get("related_object").get("id"))),
            related_object: related_object(&root),
            unreadable: check(&root).err(),
        };
        Document { event, value }
    }

    /// The event's object.
    pub fn object(&self) -> Option<&Value<'a>> {
        self.value.as_object()?.get("data")?.as_object()?.get("object").filter(|object| object.is_object())
    }
}

impl Event {
    /// The envelope of a signed body, see [`Document::read`].
    pub fn read(body: &str) -> Event {
        Document::read(body).event
    }

    /// The envelope of an object without an event.
    pub fn around(event_type: &str, created: OffsetDateTime) -> Event {
        Event {
            id: String::new(),
            event_type: event_type.to_owned(),
            created: Some(created),
            api_version: None,
            livemode: None,
            account: Account::Own,
            object_id: None,
            related_object: None,
            unreadable: None,
        }
    }

    /// Why the envelope is invalid, if it is.
    pub fn check(&self) -> Read<()> {
        self.unreadable.clone().map_or(Ok(()), Err)
    }

    /// Type and id of a thin event's object, which the event doesn't contain ("Thin events").
    pub fn related_object(&self) -> Option<(&str, &str)> {
        let is_thin = self.event_type.starts_with("v1.") || self.event_type.starts_with("v2.");
        self.related_object.as_ref().filter(|_| is_thin).map(|(kind, id)| (kind.as_str(), id.as_str()))
    }

    /// The metric label of a type: a sender with a valid secret can't create further labels.
    pub fn label(&self) -> &'static str {
        Event::labels().find(|known| *known == self.event_type).unwrap_or(OTHER)
    }

    /// All labels.
    pub fn labels() -> impl Iterator<Item = &'static str> {
        LABELS.iter().copied().chain([OTHER])
    }
}

fn check(root: &Field<'_>) -> Read<()> {
    if !root.is_object() {
        return Err(root.error("is not a JSON object"));
    }
    root.get("id").need(root.get("id").id()?)?;
    root.get("type").need(root.get("type").text()?)?;
    created(root)?;
    root.get("livemode").boolean()?;
    Ok(())
}

fn related_object(root: &Field<'_>) -> Option<(String, String)> {
    let related = Some(root.get("related_object")).filter(|_| !root.get("data").get("object").is_object())?;
    Some((related.get("type").text().ok()??.to_owned(), related.get("id").text().ok()??.to_owned()))
}

/// The account in `account` or else in `context`. A context is an account, or a path to one:
/// `org_1/acct_1`.
fn account(root: &Field<'_>) -> Account {
    let account = root.any([&["account"], &["context"]]);
    match account.id() {
        Ok(None) => Account::Own,
        Ok(Some(path)) => Account::Other(path.rsplit('/').next().unwrap_or(path).to_owned()),
        Err(_) if account.value().and_then(|value| value.as_str()) == Some("") => Account::Own,
        Err(_) => Account::Unreadable,
    }
}

/// Unix seconds; in a thin event an RFC 3339 time ("Thin events").
fn created(root: &Field<'_>) -> Read<Option<OffsetDateTime>> {
    let field = root.get("created");
    match field.value() {
        Some(Value::Str(text)) => {
            OffsetDateTime::parse(text, &Rfc3339).map(Some).map_err(|_| field.error("is neither Unix seconds nor an RFC 3339 time"))
        }
        _ => field.time(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signed_body_has_an_id() {
        for body in
            ["", "nonsense", "[]", "1", "null", "{}", r#"{"id":""}"#, r#"{"id":"two words"}"#, r#"{"id":7}"#, "{\"id\":\"a\\u0000b\"}"]
        {
            let event = Event::read(body);
            assert!(event.id.starts_with("sha256:") && event.id.len() == 71, "{body}");
            assert_eq!(event.id, Event::read(body).id);
            assert!(event.check().is_err(), "{body}");
        }
        assert_eq!(Event::read("nonsense").check().unwrap_err().to_string(), "event is not a JSON object");
    }

    #[test]
    fn too_deep_json_is_invalid_but_does_not_panic() {
        let deep = format!("{{\"id\":\"evt_1\",\"data\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Event::read(&deep).id.starts_with("sha256:"));
    }

    #[test]
    fn thin_events_have_an_object_id_and_rfc_3339_time() {
        let thin = r#"{"id":"evt_1","object":"v2.core.event","type":"v1.invoice.paid","created":"2026-11-22T15:50:00.250Z","livemode":false,
            "related_object":{"id":"in_1","type":"invoice","url":"/v1/invoices/in_1"}}"#;
        let event = Event::read(thin);
        assert_eq!((event.check(), event.related_object()), (Ok(()), Some(("invoice", "in_1"))));
        assert_eq!((event.created.map(|at| at.unix_timestamp()), event.object_id.as_deref()), (Some(1_795_362_600), Some("in_1")));
        assert!(Event::read(&thin.replace("2026-11-22T15", "yesterday")).check().is_err());
        let whole =
            r#"{"id":"evt_1","type":"v1.invoice.paid","data":{"object":{"id":"in_1"}},"related_object":{"id":"in_1","type":"invoice"}}"#;
        assert_eq!(Event::read(whole).related_object(), None);
        assert_eq!(Event::read(&thin.replace("v1.invoice.paid", "invoice.paid")).related_object(), None);
    }

    #[test]
    fn events_name_an_account_or_a_context() {
        let account = |more: &str| Event::read(&format!(r#"{{"id":"evt_1","type":"invoice.paid"{more}}}"#)).account;
        for own in ["", r#","account":null"#, r#","account":"","context":null"#, r#","context":"""#] {
            assert_eq!(account(own), Account::Own, "{own}");
        }
        for other in [r#","account":"acct_1""#, r#","context":"acct_1""#, r#","context":"org_1/acct_1","account":null"#] {
            assert_eq!(account(other), Account::Other("acct_1".into()), "{other}");
        }
        assert_eq!(account(r#","account":7"#), Account::Unreadable);
    }

    #[test]
    fn labels_are_bounded() {
        assert_eq!(Event::read(r#"{"id":"evt_1","type":"invoice.paid"}"#).label(), "invoice.paid");
        assert_eq!(Event::read(r#"{"id":"evt_1","type":"invoice.invented"}"#).label(), "other");
    }
}
