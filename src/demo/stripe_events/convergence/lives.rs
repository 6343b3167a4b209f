//! Life cycles of single objects of every type, mostly within one second: changes with
//! `previous_attributes`, also of nested fields and arrays, values that change back, events without
//! previous values, and fetches in between. The model knows the object's final state.

use super::{cases, shown};
use crate::{
    domain::mirror::snapshot::Snapshot,
    stripe::webhook::second::{Shown, newest},
};
use proptest::prelude::*;
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Invoice,
    Subscription,
    Customer,
    Charge,
    Refund,
    CreditNote,
}

const KINDS: [Kind; 6] = [Kind::Invoice, Kind::Subscription, Kind::Customer, Kind::Charge, Kind::Refund, Kind::CreditNote];

/// An object's field values, each as a number.
type State = [usize; 4];

const LOCALES: [&str; 2] = ["de", "en"];
const REFUND_STATUSES: [&str; 3] = ["pending", "succeeded", "failed"];

const NOW: i64 = 1_790_000_000;

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Kind::Invoice => "invoice",
            Kind::Subscription => "customer.subscription",
            Kind::Customer => "customer",
            Kind::Charge => "charge",
            Kind::Refund => "refund",
            Kind::CreditNote => "credit_note",
        }
    }

    /// An event that contains the object and changes nothing.
    const fn mere_look(self) -> Option<&'static str> {
        match self {
            Kind::Invoice => Some("invoice.sent"),
            Kind::Subscription => Some("customer.subscription.trial_will_end"),
            Kind::Charge => Some("charge.pending"),
            Kind::Customer | Kind::Refund | Kind::CreditNote => None,
        }
    }

    /// An event that Stripe creates for some changes in addition to `….updated`.
    const fn second_type(self) -> Option<&'static str> {
        match self {
            Kind::Invoice => Some("invoice.overdue"),
            Kind::Subscription => Some("customer.subscription.pending_update_applied"),
            Kind::Charge => Some("charge.refunded"),
            Kind::Customer | Kind::Refund | Kind::CreditNote => None,
        }
    }

    fn object(self, [a, b, c, d]: State) -> Value {
        let text = |n: usize| if n == 0 { Value::Null } else { json!(format!("text {n}")) };
        let metadata = |n: usize| if n == 0 { json!({}) } else { json!({"note": n.to_string(), "constant": "x"}) };
        match self {
            Kind::Invoice => {
                let line = |n: usize| {
                    json!({"id": format!("il_{n}"), "object": "line_item", "amount": 100 + n, "currency": "usd", "description": text(n + 1), "quantity": 1,
                           "period": {"start": NOW, "end": NOW + 9}})
                };
                json!({"id": "in_1", "object": "invoice", "customer": "cus_1", "status": "open", "currency": "usd", "created": NOW, "subtotal": 100,
                       "total": 100 + a, "amount_due": 100 + a, "amount_paid": 0, "amount_remaining": 100 + a, "description": text(b), "metadata": metadata(c),
                       "status_transitions": {"finalized_at": NOW, "paid_at": null, "marked_uncollectible_at": null, "voided_at": null},
                       "customer_address": {"city": text(d), "country": "DE"},
                       "lines": {"object": "list", "has_more": false, "data": (0..=d).map(line).collect::<Vec<_>>()}})
            }
            Kind::Subscription => {
                let item = |n: usize| {
                    json!({"id": format!("si_{n}"), "object": "subscription_item", "quantity": 1 + b, "current_period_start": NOW, "current_period_end": NOW + 9,
                           "price": {"id": format!("price_{a}"), "lookup_key": if a == 0 { "starter_monthly" } else { "growth_monthly" }, "unit_amount": 100 * a}})
                };
                json!({"id": "sub_1", "object": "subscription", "customer": "cus_1", "status": if d == 1 { "past_due" } else { "active" }, "currency": "usd",
                       "created": NOW, "cancel_at_period_end": c == 1, "metadata": metadata(c), "cancellation_details": {"comment": text(c), "reason": null},
                       "items": {"object": "list", "data": (0..=d).map(item).collect::<Vec<_>>()}})
            }
            Kind::Customer => {
                json!({"id": "cus_1", "object": "customer", "name": text(a), "email": text(b), "balance": -(c as i64), "created": NOW,
                "address": {"city": text(d), "country": "DE", "line1": text(a)}, "preferred_locales": LOCALES[..d],
                "metadata": metadata(b), "next_invoice_sequence": 4, "invoice_settings": {"footer": text(c), "custom_fields": null}})
            }
            Kind::Charge => {
                json!({"id": "ch_1", "object": "charge", "customer": "cus_1", "currency": "usd", "amount": 1_000, "amount_refunded": 100 * a,
                "amount_captured": 1_000, "status": "succeeded", "created": NOW, "payment_intent": "pi_1", "description": text(b), "metadata": metadata(c),
                "payment_method_details": {"type": if d == 0 { "card" } else { "sepa_debit" }, "card": {"brand": text(d)}}})
            }
            Kind::Refund => {
                json!({"id": "re_1", "object": "refund", "charge": "ch_1", "currency": "usd", "amount": 1_000, "created": NOW, "metadata": metadata(c),
                "status": REFUND_STATUSES[a], "reason": text(b), "failure_reason": text(d)})
            }
            Kind::CreditNote => {
                json!({"id": "cn_1", "object": "credit_note", "customer": "cus_1", "invoice": "in_1", "currency": "usd", "amount": 119, "type": "pre_payment",
                "status": if d == 2 { "void" } else { "issued" }, "created": NOW, "memo": text(a), "reason": text(b), "metadata": metadata(c)})
            }
        }
    }
}

/// The previous values in Stripe's format: for objects the changed values, for arrays the whole
/// array.
fn previous(old: &Value, new: &Value) -> Value {
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            let at = |object: &serde_json::Map<String, Value>, key: &str| object.get(key).cloned().unwrap_or_default();
            let changed = keys.into_iter().filter(|key| at(before, key) != at(after, key));
            changed.map(|key| (key.clone(), previous(&at(before, key), &at(after, key)))).collect::<serde_json::Map<_, _>>().into()
        }
        _ => old.clone(),
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Sets a field, with a `….updated`; no event if the value is unchanged.
    Change(usize, usize),
    /// A change reported by two events.
    ChangeWithTwoEvents(usize, usize),
    Look,
    Fetch,
}

#[derive(Clone, Debug)]
struct Life {
    kind: Kind,
    /// Whether the first event exists.
    is_created: bool,
    /// Each with the seconds before it.
    steps: Vec<(i64, Step)>,
    ids: Vec<u32>,
}

struct History {
    events: Vec<Value>,
    last: Value,
    /// In its last second the object returned to an earlier state.
    turns_back: bool,
    ended_at: i64,
}

impl Life {
    fn history(&self) -> History {
        let mut state: State = [0; 4];
        let mut at = NOW;
        let mut history = History { events: Vec::new(), last: Value::Null, turns_back: false, ended_at: NOW };
        let mut ids = self.ids.iter().cycle();
        // An event's id is unrelated to the order.
        let mut event = |event_type: &str, at: i64, object: Value, previous: Option<Value>, n: usize| {
            let id = format!("evt_{}_{n}", ids.next().unwrap_or(&0));
            let mut event = json!({"id": id, "object": "event", "type": event_type, "created": at, "data": {"object": object}});
            if let Some(previous) = previous {
                event["data"]["previous_attributes"] = previous;
            }
            event
        };
        if self.is_created {
            history.events.push(event(&format!("{}.created", self.kind.prefix()), at, self.kind.object(state), None, 100));
        }
        // Changes with their second and the previous state: several states may look the same.
        let mut changes: Vec<(i64, Value)> = Vec::new();
        for (n, (gap, step)) in self.steps.iter().enumerate() {
            at += gap;
            let before = self.kind.object(state);
            match *step {
                Step::Change(field, value) | Step::ChangeWithTwoEvents(field, value) => {
                    let old = state;
                    state[field] = value;
                    let after = self.kind.object(state);
                    if after == before {
                        state = old;
                        continue;
                    }
                    changes.push((at, before.clone()));
                    let said = previous(&before, &after);
                    history.events.push(event(&format!("{}.updated", self.kind.prefix()), at, after.clone(), Some(said.clone()), n));
                    if let (Step::ChangeWithTwoEvents(..), Some(event_type)) = (step, self.kind.second_type()) {
                        let said = Some(said).filter(|_| self.kind == Kind::Charge);
                        history.events.push(event(event_type, at, after, said, n + 200));
                    }
                }
                Step::Look => {
                    let Some(event_type) = self.kind.mere_look() else { continue };
                    history.events.push(event(event_type, at, before, None, n));
                }
                Step::Fetch => {
                    let mut fetched = event(&format!("{}.fetched", self.kind.prefix()), at, before, None, n);
                    fetched["id"] = json!(format!("fetched_{}_{at}", fetched["data"]["object"]["id"].as_str().unwrap_or_default()));
                    // Within a second it is the same event.
                    if !history.events.iter().any(|event| event["id"] == fetched["id"]) {
                        history.events.push(fetched);
                    }
                }
            }
        }
        let last_second = changes.last().map(|(at, _)| *at);
        let mut seen: Vec<Value> = changes.into_iter().filter(|(at, _)| Some(*at) == last_second).map(|(_, before)| before).collect();
        seen.push(self.kind.object(state));
        history.turns_back = (1..seen.len()).any(|n| seen[..n].contains(&seen[n]));
        history.last = self.kind.object(state);
        history.ended_at = at;
        history
    }
}

fn lives() -> impl Strategy<Value = Life> {
    let step = prop_oneof![
        6 => (0usize..4, 0usize..3).prop_map(|(field, value)| Step::Change(field, value)),
        1 => (0usize..4, 0usize..3).prop_map(|(field, value)| Step::ChangeWithTwoEvents(field, value)),
        1 => Just(Step::Look),
        1 => Just(Step::Fetch),
    ];
    let gap = prop::sample::select(vec![0, 0, 0, 0, 0, 1, 60]);
    let steps = prop::collection::vec((gap, step), 1..8);
    (prop::sample::select(KINDS.to_vec()), any::<bool>(), steps, prop::collection::vec(any::<u32>(), 1..9))
        .prop_map(|(kind, is_created, steps, ids)| Life { kind, is_created, steps, ids })
}

/// The order, with some repeated.
fn shuffled(events: &[Value], order: &[usize]) -> Vec<Value> {
    let mut by = order.iter().cycle();
    let mut events: Vec<(usize, &Value)> = events.iter().map(|event| (*by.next().unwrap_or(&0), event)).collect();
    events.sort_by_key(|(place, _)| *place);
    let again: Vec<(usize, &Value)> = events.iter().step_by(3).copied().collect();
    events.into_iter().chain(again).map(|(_, event)| event.clone()).collect()
}

fn snapshot(object: &Value, kind: Kind) -> Snapshot {
    let event = json!({"id": "evt_0", "type": format!("{}.updated", kind.prefix()), "created": NOW, "data": {"object": object}});
    shown([&event]).remove(0).change.snapshot
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn events_of_a_life_cycle_give_its_end(life in lives(), order in prop::collection::vec(0usize..100, 8..20)) {
        let history = life.history();
        prop_assume!(!history.events.is_empty());
        let delivered: Vec<Shown> = shown(&shuffled(&history.events, &order));
        let choice = newest(&delivered.iter().collect::<Vec<_>>()).expect("a newest one");
        let chosen = &delivered[choice.place].change;
        // The same in any order.
        let in_order = shown(&history.events);
        let again = newest(&in_order.iter().collect::<Vec<_>>()).expect("a newest one");
        prop_assert_eq!((&in_order[again.place].change, again.decided), (chosen, choice.decided));

        let last = snapshot(&history.last, life.kind);
        if choice.decided {
            prop_assert_eq!(&chosen.snapshot, &last);
        } else {
            // Only for an object that had the same state twice, with unknown earlier state.
            prop_assert!(history.turns_back, "undecided, though nothing changed back");
        }
        // A fetch after that second has the final state.
        let mut fetched = json!({"type": format!("{}.fetched", life.kind.prefix()), "created": history.ended_at + 1, "data": {"object": history.last}});
        fetched["id"] = json!("fetched_1");
        let with_fetch: Vec<Value> = history.events.iter().cloned().chain([fetched]).collect();
        let delivered = shown(&shuffled(&with_fetch, &order));
        let choice = newest(&delivered.iter().collect::<Vec<_>>()).expect("a newest one");
        prop_assert_eq!((&delivered[choice.place].change.snapshot, choice.decided), (&last, true));
    }
}
