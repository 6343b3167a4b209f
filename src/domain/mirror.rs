//! Which of two snapshots of a Stripe object is newer.
//!
//! Stripe neither orders its deliveries nor sends each once ("Receive Stripe events in your webhook
//! endpoint": event ordering). Its timestamps are whole seconds, and within one second an invoice
//! is created, finalized and paid. Between seconds the timestamp decides, and a deletion is final.
//! Within a second the content decides: [`last_of`] compares all snapshots of the object in that
//! second, so that the result depends only on the set of events, never on their order of arrival.
//!
//! [`snapshot`] has the mirrored fields of each type of object. `stripe::webhook::read` creates it,
//! `store::postgres::mirror` stores it.

mod kind;
mod last;
pub mod snapshot;

pub use kind::Kind;
pub use last::{Doubt, MOST, last_of};

use super::invoice::InvoiceStatus;
use time::OffsetDateTime;

/// A snapshot's position in its object's history. The field order is the order of comparison;
/// `rank` and later fields only matter if [`last_of`] can't decide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Nothing comes after a deletion, whatever the timestamps are.
    pub deleted: bool,
    /// When Stripe created the event, in whole seconds; not the delivery time.
    pub created: OffsetDateTime,
    /// How far the object's status is along its life cycle. See the `rank` functions below.
    pub rank: i16,
    /// The sum of the object's counters that never decrease (paid, refunded, attempts). It is
    /// greater in the later snapshot, because no counter is less.
    pub progress: i64,
    /// Breaks ties: arbitrary, but the same for every reader.
    pub event_id: String,
}

impl Stamp {
    /// Snapshots of one class are not ordered by time: same deletion state, same second.
    pub const fn second(&self) -> (bool, OffsetDateTime) {
        (self.deleted, self.created)
    }
}

/// The rank of a `….created` event's snapshot, below every status: everything else in that second
/// happened after it.
pub const RANK_CREATED: i16 = 0;

/// Invoices ("How invoicing works": invoice statuses): a draft is finalized to open; open becomes
/// paid, void or uncollectible; uncollectible may still become paid or void. Paid and void are
/// final, so their order never matters.
pub const fn invoice_rank(status: InvoiceStatus) -> i16 {
    match status {
        InvoiceStatus::Draft => 1,
        InvoiceStatus::Open => 2,
        InvoiceStatus::Uncollectible => 3,
        InvoiceStatus::Paid => 4,
        InvoiceStatus::Void => 5,
    }
}

/// Subscriptions ("How subscriptions work": statuses). A subscription can go back from past_due to
/// active, but that takes a payment and so longer than a second. Within a second Stripe only moves
/// forward: a first payment activates an incomplete one, a trial ends and its first payment fails,
/// the last retry cancels.
pub fn subscription_rank(status: &str) -> i16 {
    match status {
        "incomplete" => 1,
        "trialing" => 2,
        "paused" => 3,
        "active" => 4,
        "past_due" => 5,
        "unpaid" => 6,
        "incomplete_expired" => 7,
        "canceled" => 8,
        // An unknown new status is not final, or it would be listed above.
        _ => 4,
    }
}

/// Charges: pending until they succeed or fail.
pub fn charge_rank(status: &str) -> i16 {
    match status {
        "pending" => 1,
        "failed" => 2,
        "succeeded" => 3,
        _ => 1,
    }
}

/// Refunds: even a succeeded one can fail later at the bank ("Refund and cancel payments": failed
/// refunds).
pub fn refund_rank(status: &str) -> i16 {
    match status {
        "pending" => 1,
        "requires_action" => 2,
        "succeeded" => 3,
        "canceled" => 4,
        "failed" => 5,
        _ => 1,
    }
}

/// Credit notes: issued until void, which is final.
pub fn credit_note_rank(status: &str) -> i16 {
    match status {
        "issued" => 1,
        "void" => 2,
        _ => 1,
    }
}

/// Payments towards invoices: open until paid or canceled.
pub fn payment_rank(status: &str) -> i16 {
    match status {
        "open" => 1,
        "canceled" => 2,
        "paid" => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_is_final_and_the_clock_comes_before_the_status() {
        let stamp = |deleted, seconds: i64, rank| Stamp {
            deleted,
            created: OffsetDateTime::from_unix_timestamp(1_790_000_000 + seconds).unwrap(),
            rank,
            progress: 0,
            event_id: "evt_1".into(),
        };
        assert!(stamp(true, 0, 0) > stamp(false, 9, 9));
        assert!(stamp(false, 1, 0) > stamp(false, 0, 9));
        assert_eq!(stamp(false, 1, 0).second(), stamp(false, 1, 9).second());
    }

    #[test]
    fn ranks_follow_object_life_cycles() {
        let ascending = |ranks: &[i16]| ranks.is_sorted() && ranks.first() > Some(&RANK_CREATED);
        use InvoiceStatus::*;
        assert!(ascending(&[Draft, Open, Uncollectible, Paid].map(invoice_rank)));
        assert!(ascending(&[Draft, Open, Uncollectible, Void].map(invoice_rank)));
        assert!(ascending(&["incomplete", "trialing", "active", "past_due", "unpaid", "canceled"].map(subscription_rank)));
        assert!(ascending(&["incomplete", "incomplete_expired"].map(subscription_rank)));
        assert!(ascending(&["pending", "failed", "succeeded"].map(charge_rank)));
        assert!(ascending(&["pending", "succeeded", "failed"].map(refund_rank)));
        assert!(ascending(&["open", "canceled", "paid"].map(payment_rank)));
        assert!(ascending(&["issued", "void"].map(credit_note_rank)));
    }
}
