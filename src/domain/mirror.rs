//! Which of two snapshots of a Stripe object is the newer one.
//!
//! Stripe neither orders its deliveries nor sends each once ("Receive Stripe events in your webhook endpoint": event ordering),
//! and its clock ticks in whole seconds, within which an invoice is created, finalized and paid. So every snapshot gets a
//! [`Stamp`], stamps are totally ordered, and the mirror keeps the greatest: a maximum doesn't care in which order, or how
//! often, its elements come. The database compares the same columns in the same order.
//!
//! This room knows the order alone: what is in a snapshot, and where the mirror is kept, is others' business.

use super::invoice::InvoiceStatus;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// The place of a snapshot in its object's history. The order of the fields is the order of comparison.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Nothing comes after a deletion, whatever the clocks say.
    pub deleted: bool,
    /// When Stripe made the event, in whole seconds: not when it was delivered.
    pub created: OffsetDateTime,
    /// Decides within a second: how far along its life the object's status is. See the `rank` functions below.
    pub rank: i16,
    /// Decides within a second and a status: the sum of the object's counters that only ever grow (paid, refunded, attempts),
    /// which is greater in the later snapshot because each of them is no less.
    pub progress: i64,
    /// Tells nothing about time, but the same to everyone.
    pub event_id: String,
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

/// The newest snapshot of each object: the rules of the stored mirror, without the storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror<S> {
    objects: BTreeMap<String, (Stamp, S)>,
}

impl<S> Default for Mirror<S> {
    fn default() -> Self {
        Mirror { objects: BTreeMap::new() }
    }
}

impl<S> Mirror<S> {
    /// Takes the snapshot if it is newer than what is there; tells whether it was.
    pub fn apply(&mut self, object_id: &str, stamp: Stamp, snapshot: S) -> bool {
        match self.objects.get_mut(object_id) {
            Some((newest, _)) if *newest >= stamp => false,
            Some(kept) => {
                *kept = (stamp, snapshot);
                true
            }
            None => {
                self.objects.insert(object_id.to_owned(), (stamp, snapshot));
                true
            }
        }
    }

    pub fn get(&self, object_id: &str) -> Option<&S> {
        self.objects.get(object_id).map(|(_, snapshot)| snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One event: the object, its stamp, and what the object was then.
    #[derive(Clone, Debug, PartialEq)]
    struct Event {
        object: String,
        stamp: Stamp,
        snapshot: (String, i64),
    }

    fn apply_all<'a>(events: impl IntoIterator<Item = &'a Event>) -> Mirror<(String, i64)> {
        let mut mirror = Mirror::default();
        for event in events {
            mirror.apply(&event.object, event.stamp.clone(), event.snapshot.clone());
        }
        mirror
    }

    fn instant(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_790_000_000 + seconds).unwrap()
    }

    /// A step of an invoice's life: seconds since the last one (often none), and what happened if it could.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Finalize,
        FailToPay,
        PayPart,
        Pay,
        GiveUp,
        Void,
        Delete,
    }

    /// Lives as Stripe allows them. Event ids are random: they say nothing about the order.
    fn invoice_life(object: &'static str) -> impl Strategy<Value = Vec<Event>> {
        let step =
            prop::sample::select(vec![Step::Finalize, Step::FailToPay, Step::PayPart, Step::Pay, Step::GiveUp, Step::Void, Step::Delete]);
        prop::collection::vec((prop::sample::select(vec![0, 0, 0, 1, 60]), step, "[a-zA-Z0-9]{8}"), 0..10).prop_map(move |steps| {
            let (mut at, mut status, mut paid, mut attempts) = (0, InvoiceStatus::Draft, 0, 0);
            let event = |at, status: InvoiceStatus, rank, paid, attempts, deleted, id: String| Event {
                object: object.into(),
                stamp: Stamp { deleted, created: instant(at), rank, progress: paid + attempts, event_id: id },
                snapshot: (if deleted { "deleted".into() } else { status.to_string() }, paid),
            };
            let mut life = vec![event(at, status, RANK_CREATED, 0, 0, false, format!("evt_{object}"))];
            for (number, (gap, step, id)) in steps.into_iter().enumerate() {
                match (step, status) {
                    (Step::Finalize, InvoiceStatus::Draft) => status = InvoiceStatus::Open,
                    (Step::FailToPay, InvoiceStatus::Open) => attempts += 1,
                    (Step::PayPart, InvoiceStatus::Open) => paid += 100,
                    (Step::Pay, InvoiceStatus::Open | InvoiceStatus::Uncollectible) => (status, paid) = (InvoiceStatus::Paid, paid + 1000),
                    (Step::GiveUp, InvoiceStatus::Open) => status = InvoiceStatus::Uncollectible,
                    (Step::Void, InvoiceStatus::Open | InvoiceStatus::Uncollectible) => status = InvoiceStatus::Void,
                    (Step::Delete, InvoiceStatus::Draft) => {
                        life.push(event(at + gap, status, invoice_rank(status), paid, attempts, true, format!("evt_{id}{number}")));
                        return life;
                    }
                    _ => continue,
                }
                at += gap;
                life.push(event(at, status, invoice_rank(status), paid, attempts, false, format!("evt_{id}{number}")));
            }
            life
        })
    }

    /// Every event at least once, some more often, in any order.
    fn deliveries(history: Vec<Event>) -> impl Strategy<Value = (Vec<Event>, Vec<Event>)> {
        let again = prop::collection::vec(prop::sample::select(history.clone()), 0..8);
        again.prop_flat_map(move |again| {
            let all: Vec<Event> = history.iter().cloned().chain(again).collect();
            (Just(history.clone()), Just(all).prop_shuffle())
        })
    }

    fn histories() -> impl Strategy<Value = Vec<Event>> {
        (invoice_life("in_1"), invoice_life("in_2")).prop_map(|(one, two)| one.into_iter().chain(two).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn any_permutation_with_any_duplicates_converges_to_where_stripe_is((history, delivered) in histories().prop_flat_map(deliveries)) {
            let mirror = apply_all(&delivered);
            prop_assert_eq!(&mirror, &apply_all(&history));
            for object in ["in_1", "in_2"] {
                let last = history.iter().rfind(|event| event.object == object).map(|event| &event.snapshot);
                prop_assert_eq!(mirror.get(object), last);
            }
        }

        #[test]
        fn convergence_needs_no_sensible_history(
            stamps in prop::collection::vec((any::<bool>(), 0i64..3, 0i16..3, 0i64..3, "[ab]{1,2}"), 1..12)
        ) {
            // Ids are unique, as Stripe's are, while everything else may collide.
            let history: Vec<Event> = stamps.into_iter().enumerate().map(|(n, (deleted, at, rank, progress, id))| Event {
                object: "in_1".into(),
                stamp: Stamp { deleted, created: instant(at), rank, progress, event_id: format!("{id}{n}") },
                snapshot: (n.to_string(), 0),
            }).collect();
            let backwards = apply_all(history.iter().rev().chain(&history));
            prop_assert_eq!(backwards, apply_all(&history));
        }
    }

    #[test]
    fn a_paid_invoice_stays_paid_when_its_finalization_of_the_same_second_comes_last() {
        let stamp =
            |status, id: &str| Stamp { deleted: false, created: instant(0), rank: invoice_rank(status), progress: 0, event_id: id.into() };
        let (open, paid) = (stamp(InvoiceStatus::Open, "evt_z"), stamp(InvoiceStatus::Paid, "evt_a"));
        let mut mirror = Mirror::default();
        assert!(mirror.apply("in_1", paid.clone(), "paid"));
        assert!(!mirror.apply("in_1", open, "open"));
        assert!(!mirror.apply("in_1", paid, "paid again"));
        assert_eq!(mirror.get("in_1"), Some(&"paid"));
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
