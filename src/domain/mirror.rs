//! Which of two snapshots of a Stripe object is the newer one.
//!
//! Stripe neither orders its deliveries nor sends each once ("Receive Stripe events in your webhook endpoint": event ordering),
//! and its clock ticks in whole seconds, within which an invoice is created, finalized and paid. Between seconds the clock decides, and a
//! deletion is final. Within a second the content decides: [`last_of`] looks at all snapshots of the object and second together, so that the
//! answer depends on the set of events alone, never on the order in which they arrived.
//!
//! [`snapshot`] has what the mirror takes of each kind of object; `stripe::webhook::read` makes it, `store::postgres::mirror` stores it.

mod kind;
mod last;
pub mod snapshot;

pub use kind::Kind;
pub use last::{Doubt, MOST, last_of};

use super::invoice::InvoiceStatus;
use time::OffsetDateTime;

/// The place of a snapshot in its object's history. The order of the fields is the order of comparison; `rank` and those after it only
/// choose where [`last_of`] can't decide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Nothing comes after a deletion, whatever the clocks say.
    pub deleted: bool,
    /// When Stripe made the event, in whole seconds: not when it was delivered.
    pub created: OffsetDateTime,
    /// How far along its life the object's status is. See the `rank` functions below.
    pub rank: i16,
    /// The sum of the object's counters that only ever grow (paid, refunded, attempts), which is greater in the later snapshot because each
    /// of them is no less.
    pub progress: i64,
    /// Says nothing about time, but the same to every reader.
    pub event_id: String,
}

impl Stamp {
    /// The class within which the clock decides nothing: whether the object is deleted, and the second.
    pub const fn second(&self) -> (bool, OffsetDateTime) {
        (self.deleted, self.created)
    }
}

/// The rank of the `….created` event's snapshot, below every status: whatever else happens in that second happens after it.
pub const RANK_CREATED: i16 = 0;

/// Invoices ("How invoicing works": invoice statuses): a draft is finalized to open; open becomes paid, void or uncollectible; and
/// uncollectible may still become paid or void. Paid and void end a life, so the order between those two never matters.
pub const fn invoice_rank(status: InvoiceStatus) -> i16 {
    match status {
        InvoiceStatus::Draft => 1,
        InvoiceStatus::Open => 2,
        InvoiceStatus::Uncollectible => 3,
        InvoiceStatus::Paid => 4,
        InvoiceStatus::Void => 5,
    }
}

/// Subscriptions ("How subscriptions work": statuses). Unlike an invoice a subscription can go back, from past due to active; that
/// takes a payment and so more than the second in which the order of statuses is asked. What Stripe does within one is
/// forward: a first payment activates an incomplete one, a trial ends and its first payment fails, the last retry cancels.
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
        // A status that Stripe has yet to invent: no end of a life, or it would be among the above.
        _ => 4,
    }
}

/// Charges: pending until it succeeds or fails.
pub fn charge_rank(status: &str) -> i16 {
    match status {
        "pending" => 1,
        "failed" => 2,
        "succeeded" => 3,
        _ => 1,
    }
}

/// Refunds: even one that succeeded can come back from the bank as failed ("Refund and cancel payments": failed refunds).
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

/// Credit notes: issued until void, which is for good.
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
    fn ranks_follow_the_lives_of_the_objects() {
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
