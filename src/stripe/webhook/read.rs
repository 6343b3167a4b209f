//! Parses an event into snapshots.

mod alert;
mod credit_note;
mod customer;
mod figures;
mod invoice;
mod payment;
mod subscription;

use super::{
    event::{Document, Event},
    field::{Field, FieldError, Read},
};
use crate::domain::{
    invoice::TransformQuantity,
    mirror::{
        Kind, RANK_CREATED, Stamp,
        snapshot::{Change, Snapshot, Span, TaxRateSnapshot},
    },
    money::Currency,
};
use serde_json_borrow::Value;
use time::OffsetDateTime;

/// An event's effect on the mirror.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)]
pub enum Reading {
    /// The event's object, then the objects inside it.
    Changes { subject: Box<Change>, along: Vec<Change> },
    /// No effect, for this reason.
    Ignored(&'static str),
}

/// Parses an event of any API version.
///
/// # Errors
/// An event of a handled type whose object lacks a required field; the error names it.
pub fn read(document: &Document<'_>) -> Read<Reading> {
    let event = &document.event;
    event.check()?;
    let event_type = event.event_type.as_str();
    if event_type == "invoice.upcoming" {
        return Ok(Reading::Ignored("a preview of an invoice that does not exist yet"));
    }
    let starts = |prefix: &str| event_type.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
    let by_type = match () {
        () if starts("invoice.") => "invoice",
        () if starts("invoice_payment.") => "invoice_payment",
        () if starts("customer.subscription.") => "subscription",
        () if starts("refund.") || event_type == "charge.refund.updated" => "refund",
        () if starts("charge.dispute.") => return Ok(Reading::Ignored("disputes are not mirrored")),
        () if starts("charge.") => "charge",
        () if starts("credit_note.") => "credit_note",
        // Not other children of a customer: its discounts, sources, tax ids.
        () if ["customer.created", "customer.updated", "customer.deleted", "customer.fetched"].contains(&event_type) => "customer",
        () if event_type == "billing.alert.triggered" => "billing.alert_triggered",
        () if document.object().is_none() && (starts("v1.") || starts("v2.")) => {
            return Ok(Reading::Ignored("a thin event: its object must be fetched"));
        }
        () => return Ok(Reading::Ignored("not a handled type")),
    };
    let object = document.object().ok_or_else(|| FieldError("event.data.object is missing".into()))?;
    let object = Field::root(by_type, object);
    if let Some(is) = object.get("object").text()?
        && is != by_type
    {
        return Err(object.get("object").error(&format!("is `{is}`, which is unexpected in {event_type}")));
    }
    read_by(by_type, event, &object)
}

/// Object types that may have no customer: they belong to an account (`customer_account`) or a
/// guest.
const NEED_A_CUSTOMER: [&str; 5] = ["invoice", "subscription", "credit_note", "charge", "billing.alert_triggered"];

/// Parses an object without an event, as if in an event of this instant.
pub fn read_object(kind: Kind, object: &serde_json::Value, at: OffsetDateTime) -> Read<Reading> {
    let object = Value::from(object);
    read_by(kind.object(), &Event::around(kind.event_type(), at), &Field::root(kind.object(), &object))
}

/// Parses a tax rate.
///
/// # Errors
/// A rate without an id or a name.
pub fn read_tax_rate(rate: &serde_json::Value) -> Read<TaxRateSnapshot> {
    let rate = Value::from(rate);
    let rate = Field::root("tax_rate", &rate);
    let name = rate.get("display_name");
    required_id(&rate, "id")?;
    name.need(figures::tax_rate(&rate)?)
}

/// Parses how a price converts a quantity into packages, if it does.
pub fn read_price(price: &serde_json::Value) -> Read<Option<TransformQuantity>> {
    let price = Value::from(price);
    figures::transform_quantity(&Field::root("price", &price))
}

fn read_by(by_type: &str, event: &Event, object: &Field<'_>) -> Read<Reading> {
    let customer = object.get("customer");
    if NEED_A_CUSTOMER.contains(&by_type) && (!customer.exists() || customer.value().and_then(|value| value.as_str()) == Some("")) {
        let of_account = object.get("customer_account").exists();
        return Ok(Reading::Ignored(if of_account {
            "it belongs to an account (customer_account), not to a customer"
        } else {
            "it has no customer"
        }));
    }
    let moment = Moment { event, created: event.created.ok_or_else(|| FieldError("event.created is missing".into()))? };
    match by_type {
        "invoice" => invoice::read(object, &moment),
        "subscription" => Ok(moment.alone(subscription::read(object, &moment)?)),
        "invoice_payment" => Ok(moment.alone(payment::read_invoice_payment(object, &moment, None, true)?)),
        "refund" => Ok(moment.alone(payment::read_refund(object, &moment, None, true)?)),
        "credit_note" => Ok(moment.alone(credit_note::read(object, &moment)?)),
        "billing.alert_triggered" => Ok(moment.alone(alert::read(object, &moment)?)),
        "customer" => Ok(moment.alone(customer::read(object, &moment)?)),
        _ => payment::read_charge(object, &moment),
    }
}

/// The event's fields for its objects' stamps.
struct Moment<'a> {
    event: &'a Event,
    created: OffsetDateTime,
}

impl Moment<'_> {
    fn alone(&self, subject: Change) -> Reading {
        Reading::Changes { subject: Box::new(subject), along: Vec::new() }
    }

    /// `subject`: this is the event's own object, so that a `….created` is its first.
    fn change(&self, snapshot: Snapshot, subject: bool, rank: i16, progress: i64) -> Change {
        let event_type = self.event.event_type.as_str();
        let deleted = subject && event_type.ends_with(".deleted");
        let rank = if subject && event_type.ends_with(".created") { RANK_CREATED } else { rank };
        Change { stamp: Stamp { deleted, created: self.created, rank, progress, event_id: self.event.id.clone() }, snapshot }
    }
}

fn required_id(object: &Field<'_>, key: &'static str) -> Read<String> {
    let field = object.get(key);
    Ok(field.need(field.id()?)?.to_owned())
}

fn required_amount(object: &Field<'_>, key: &'static str) -> Read<i64> {
    let field = object.get(key);
    field.need(field.integer()?)
}

fn currency(object: &Field<'_>) -> Read<Currency> {
    let field = object.get("currency");
    field.need(field.text()?)?.parse().map_err(|_| field.error("is not a three-letter currency code"))
}

fn owned(field: &Field<'_>) -> Read<Option<String>> {
    Ok(field.text()?.filter(|text| !text.is_empty()).map(str::to_owned))
}

fn owned_id(field: &Field<'_>) -> Read<Option<String>> {
    // Old API versions write an empty string for a missing one.
    if field.value().and_then(|value| value.as_str()) == Some("") { Ok(None) } else { Ok(field.id()?.map(str::to_owned)) }
}

/// A price as an exact decimal: Stripe's decimal text, else its integer.
fn price_of_unit(price: &Field<'_>) -> Read<Option<String>> {
    let exact = price.any([&["unit_amount_decimal"], &["amount_decimal"]]);
    match exact.value() {
        Some(Value::Number(_)) => exact.decimal(),
        Some(_) => owned(&exact),
        None => Ok(price.any([&["unit_amount"], &["amount"]]).integer()?.map(|amount| amount.to_string())),
    }
}

fn span(start: &Field<'_>, end: &Field<'_>) -> Read<Span> {
    let (start, end) = (start.time()?, end.time()?);
    Ok(if start.is_some() && start == end { Span::default() } else { Span { start, end } })
}

#[cfg(test)]
mod tests;
