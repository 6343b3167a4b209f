//! An invoice's history as sentences: the events that matter to its reader, each fact once.

use crate::domain::{invoice::TimelineEntry, money::Money};
use time::OffsetDateTime;

/// An event about the invoice, one of its charges, their refunds or its credit notes.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    pub event_type: String,
    pub object_id: String,
    pub at: OffsetDateTime,
    /// The amount of the event's refund or credit note; for a paid invoice, of its payments.
    pub amount: Option<Money>,
    /// The number of the event's credit note.
    pub number: Option<String>,
}

/// Converts the events to entries, oldest first; those of one second in the order of an invoice's
/// life cycle.
pub fn tell(mut events: Vec<Happened>) -> Vec<TimelineEntry> {
    events.sort_by(|a, b| (a.at, place(&a.event_type), &a.object_id).cmp(&(b.at, place(&b.event_type), &b.object_id)));
    let refunds_are_told = events.iter().any(|event| event.event_type == "refund.created");
    let mut paid = false;
    let mut entries = Vec::new();
    for event in events {
        let Some(title) = title(&event) else { continue };
        match event.event_type.as_str() {
            // A payment sends both events; one out of band only the former ("invoice.paid" in
            // "Types of events").
            "invoice.paid" | "invoice.payment_succeeded" if std::mem::replace(&mut paid, true) => continue,
            // Only reports that something was refunded; the refund has the details.
            "charge.refunded" if refunds_are_told => continue,
            _ => {}
        }
        entries.push(TimelineEntry { event_type: event.event_type, title, at: event.at, amount: event.amount, number: event.number });
    }
    entries
}

/// None for events without visible effect.
fn title(event: &Happened) -> Option<String> {
    let fixed = match event.event_type.as_str() {
        "invoice.created" => "Draft created",
        "invoice.finalized" => "Invoice finalized",
        "invoice.finalization_failed" => "Invoice could not be finalized",
        "invoice.sent" => "Invoice sent",
        "invoice.payment_action_required" => "Payment waits for the customer's confirmation",
        "invoice.payment_failed" => "Payment failed",
        // Stripe sends both for a zero invoice, or one that credit covers.
        "invoice.paid" | "invoice.payment_succeeded" if event.amount.is_some_and(|paid| paid.amount == 0) => "Settled, nothing to pay",
        "invoice.paid" | "invoice.payment_succeeded" => "Payment received",
        "invoice.overpaid" => "More received than was due",
        "invoice.will_be_due" => "Payment will soon be due",
        "invoice.overdue" => "Payment overdue",
        "invoice.marked_uncollectible" => "Marked as uncollectible",
        "invoice.voided" => "Invoice voided",
        "invoice.deleted" => "Draft deleted",
        "charge.refunded" => "Payment refunded",
        "refund.failed" => "Refund failed",
        "refund.canceled" => "Refund canceled",
        "refund.created" => {
            return Some(match event.amount {
                Some(amount) => format!("Refund of {amount} issued"),
                None => "Refund issued".into(),
            });
        }
        "credit_note.created" => {
            let amount = event.amount.map(|amount| format!(" for {amount}")).unwrap_or_default();
            return Some(format!("{}{amount} issued", credit_note(event)));
        }
        "credit_note.voided" => return Some(format!("{} voided", credit_note(event))),
        _ => return None,
    };
    Some(fixed.into())
}

fn credit_note(event: &Happened) -> String {
    event.number.as_ref().map_or_else(|| "Credit note".into(), |number| format!("Credit note {number}"))
}

/// An event's position in an invoice's life cycle, for events of the same second.
fn place(event_type: &str) -> u8 {
    match event_type {
        "invoice.created" => 0,
        "invoice.finalization_failed" | "invoice.deleted" => 1,
        "invoice.finalized" => 2,
        "invoice.sent" => 3,
        "invoice.will_be_due" => 4,
        "invoice.payment_action_required" => 5,
        "invoice.payment_failed" => 6,
        "invoice.overdue" => 7,
        "invoice.marked_uncollectible" => 8,
        "invoice.paid" => 9,
        "invoice.payment_succeeded" => 10,
        "invoice.overpaid" => 11,
        "invoice.voided" => 12,
        "credit_note.created" => 13,
        "refund.created" => 14,
        "charge.refunded" => 15,
        "refund.canceled" | "refund.failed" => 16,
        "credit_note.voided" => 17,
        _ => 20,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    fn titles(events: &[(&str, i64)]) -> Vec<String> {
        let happened = events.iter().map(|(event_type, at)| Happened {
            event_type: (*event_type).into(),
            object_id: "in_1".into(),
            at: OffsetDateTime::from_unix_timestamp(*at).unwrap(),
            amount: (event_type.starts_with("refund.") || event_type.starts_with("credit_note.")).then(|| Money::new(1050, Currency::USD)),
            number: event_type.starts_with("credit_note.").then(|| "A-CN-01".into()),
        });
        tell(happened.collect()).into_iter().map(|entry| entry.title).collect()
    }

    #[test]
    fn a_payment_shows_once() {
        let month = [
            ("invoice.payment_succeeded", 5),
            ("invoice.paid", 5),
            ("invoice.finalized", 5),
            ("invoice.created", 5),
            ("invoice.updated", 5),
        ];
        assert_eq!(titles(&month), ["Draft created", "Invoice finalized", "Payment received"]);
        assert_eq!(titles(&[("invoice.paid", 9)]), ["Payment received"]);
    }

    #[test]
    fn a_zero_invoice_is_settled() {
        let paid = |event_type: &str, amount| Happened {
            event_type: event_type.into(),
            object_id: "in_1".into(),
            at: OffsetDateTime::UNIX_EPOCH,
            amount: Some(Money::new(amount, Currency::USD)),
            number: None,
        };
        let entries = |amount| tell(vec![paid("invoice.paid", amount), paid("invoice.payment_succeeded", amount)]);
        assert_eq!(entries(0).into_iter().map(|entry| entry.title).collect::<Vec<_>>(), ["Settled, nothing to pay"]);
        assert_eq!(entries(1)[0].title, "Payment received");
    }

    #[test]
    fn every_failed_attempt_shows() {
        let history =
            [("invoice.payment_failed", 1), ("invoice.payment_failed", 3), ("invoice.payment_succeeded", 4), ("charge.failed", 1)];
        assert_eq!(titles(&history), ["Payment failed", "Payment failed", "Payment received"]);
    }

    #[test]
    fn a_credit_note_shows_with_its_number_and_amount() {
        let history = [("credit_note.voided", 7), ("credit_note.updated", 7), ("credit_note.created", 7)];
        assert_eq!(titles(&history), ["Credit note A-CN-01 for $10.50 issued", "Credit note A-CN-01 voided"]);
    }

    #[test]
    fn fetched_objects_are_not_dated_by_the_fetch() {
        let history =
            [("invoice.fetched", 1), ("invoice.created", 2), ("refund.fetched", 3), ("credit_note.fetched", 3), ("charge.fetched", 3)];
        assert_eq!(titles(&history), ["Draft created"]);
    }

    #[test]
    fn a_refund_shows_once_with_its_amount() {
        assert_eq!(titles(&[("charge.refunded", 7), ("refund.created", 7), ("refund.updated", 8)]), ["Refund of $10.50 issued"]);
        assert_eq!(titles(&[("charge.refunded", 7)]), ["Payment refunded"]);
    }
}
