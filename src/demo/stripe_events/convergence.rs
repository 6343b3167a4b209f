//! Tests the promise of `domain::mirror` through the reader: histories of one customer's billing,
//! in old and new shapes and with any number of changes in one second, converge to Stripe's state
//! for any order and any repetition of their events. `lives` tests the same for single objects
//! whose events have `previous_attributes`.

mod lives;

use super::{
    Address, DemoCustomer, Outcome, cancellation_event, credit_note_events, credit_note_voided, customer_event, in_old_shape, month_events,
    subscription_events,
};
use crate::{
    domain::{mirror::snapshot::Snapshot, period::Period, plan::PlanType},
    stripe::webhook::{
        parsed::ParsedEvent,
        second::{Shown, newest},
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use time::{Duration, macros::datetime};

/// The outcome of an invoice after its month.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Aftermath {
    Nothing,
    Credited,
    CreditVoided,
    DraftDeleted,
}

#[derive(Clone, Debug)]
struct Story {
    months: Vec<(Outcome, Aftermath)>,
    /// From this month on, another plan.
    plan_changes_in: usize,
    renamed: usize,
    canceled: bool,
    customer_deleted: bool,
    /// The resolution of Stripe's clock in seconds.
    tick: i64,
    /// The events of an older API version.
    old: Vec<bool>,
}

fn customer(plan: PlanType, name: &str) -> DemoCustomer {
    DemoCustomer {
        stripe_id: "cus_1".into(),
        name: name.into(),
        email: "billing@customer.test".into(),
        address: Address {
            line1: "1 Main Street".into(),
            city: "Berlin".into(),
            state: None,
            postal_code: "10115".into(),
            country: "DE".into(),
        },
        tax_id: None,
        currency: "eur".parse().unwrap(),
        plan,
        tax_percent: 19,
        discount_percent: 0,
    }
}

impl Story {
    /// Every event; those of one object in the order of its life cycle.
    fn events(&self) -> Vec<Value> {
        let mut months = vec![Period::calendar_month(datetime!(2026-01-01 0:00 UTC))];
        while months.len() < self.months.len() {
            months.push(Period::calendar_month(months[months.len() - 1].end()));
        }
        let (first, last) = (months[0], months[months.len() - 1]);
        let plan_of = |month: usize| if month < self.plan_changes_in { PlanType::Starter } else { PlanType::Scale };
        let of_month = |month: usize| customer(plan_of(month), "First name");

        let mut events = vec![customer_event(&of_month(0), "customer.created", first.start())];
        for rename in 1..=self.renamed {
            let at = first.start() + Duration::days(rename as i64);
            let mut updated = customer_event(&customer(plan_of(0), &format!("Name {rename}")), "customer.updated", at);
            updated["data"]["object"]["next_invoice_sequence"] = json!(rename);
            events.push(updated);
        }
        let renewals = |month: usize| subscription_events(&of_month(month), &months);
        // The first month has two events, each other one.
        events.extend(renewals(0).into_iter().take(2));
        events.extend((1..months.len()).filter_map(|month| renewals(month).into_iter().nth(month + 1)));
        for (month, (outcome, aftermath)) in self.months.iter().enumerate() {
            let (customer, period) = (of_month(month), months[month]);
            let history = month_events(&customer, period, *outcome, &[]);
            let after = period.end() + Duration::days(25);
            let created = history[0].clone();
            events.extend(history);
            match (aftermath, outcome) {
                (Aftermath::DraftDeleted, Outcome::Draft) => {
                    let mut deleted = created;
                    deleted["id"] = json!(format!("evt_deleted_{month}"));
                    deleted["type"] = json!("invoice.deleted");
                    deleted["created"] = json!(after.unix_timestamp());
                    deleted["data"]["object"]["status"] = json!("deleted");
                    events.push(deleted);
                }
                (Aftermath::Credited | Aftermath::CreditVoided, outcome) if !matches!(outcome, Outcome::Draft | Outcome::Void) => {
                    let credited = credit_note_events(&customer, period, *outcome, &[], 1_000, after);
                    let voided = (*aftermath == Aftermath::CreditVoided).then(|| credit_note_voided(&credited[0], after + Duration::DAY));
                    events.extend(credited.into_iter().chain(voided));
                }
                _ => {}
            }
        }
        if self.canceled {
            events.push(cancellation_event(&of_month(months.len() - 1), &first, &last));
        }
        if self.customer_deleted {
            events.push(customer_event(&of_month(0), "customer.deleted", last.end()));
        }
        for (event, old) in events.iter_mut().zip(self.old.iter().cycle()) {
            let at = event["created"].as_i64().unwrap();
            event["created"] = json!(at - at % self.tick);
            if let Some(old_event) = in_old_shape(event).filter(|_| *old) {
                *event = old_event;
            }
        }
        events
    }
}

fn stories() -> impl Strategy<Value = Story> {
    let aftermath = prop::sample::select(vec![Aftermath::Nothing, Aftermath::Credited, Aftermath::CreditVoided, Aftermath::DraftDeleted]);
    (
        prop::collection::vec((prop::sample::select(Outcome::ALL.to_vec()), aftermath), 1..4),
        1usize..4,
        0usize..3,
        any::<bool>(),
        any::<bool>(),
        // Stripe's second; a minute and a day in one second; everything in one second.
        prop::sample::select(vec![1, 60, 86_400, 10_000_000_000]),
        prop::collection::vec(any::<bool>(), 1..8),
    )
        .prop_map(|(months, plan_changes_in, renamed, canceled, customer_deleted, tick, old)| Story {
            months,
            plan_changes_in,
            renamed,
            canceled,
            customer_deleted,
            tick,
            old,
        })
}

/// More than a history has events.
const MOST_EVENTS: usize = 64;
const DUPLICATES: usize = 8;

/// The order of deliveries: each event's index at least once, some repeated.
fn orders() -> impl Strategy<Value = Vec<usize>> {
    Just((0..MOST_EVENTS + DUPLICATES).collect::<Vec<_>>()).prop_shuffle()
}

fn delivered(order: &[usize], events: usize) -> impl Iterator<Item = usize> {
    assert!(events <= MOST_EVENTS);
    order.iter().filter_map(move |&place| match place {
        place if place < events => Some(place),
        place if place >= MOST_EVENTS => Some((place - MOST_EVENTS) * 5 % events),
        _ => None,
    })
}

/// All snapshots of an event.
fn shown_by(event: &Value) -> Vec<Shown> {
    let parsed = ParsedEvent::parse(&event.to_string(), None);
    assert!(!parsed.changes().is_empty(), "{event} has no snapshot");
    Shown::all(&parsed, None)
}

/// All snapshots of events in the order of their delivery; each event once.
fn shown<'a>(deliveries: impl IntoIterator<Item = &'a Value>) -> Vec<Shown> {
    let mut seen = BTreeSet::new();
    deliveries.into_iter().filter(|event| seen.insert(event["id"].to_string())).flat_map(shown_by).collect()
}

/// The newest snapshot of each object.
fn mirror<'a>(shown: impl IntoIterator<Item = &'a Shown>) -> BTreeMap<&'a str, &'a Snapshot> {
    let mut objects: BTreeMap<&str, Vec<&Shown>> = BTreeMap::new();
    for one in shown {
        objects.entry(one.change.snapshot.id()).or_default().push(one);
    }
    objects.into_iter().filter_map(|(id, shown)| Some((id, &shown[newest(&shown)?.place].change.snapshot))).collect()
}

/// `PROPTEST_CASES` sets the number of cases.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn any_order_with_duplicates_converges_to_stripe(story in stories(), order in orders()) {
        let shown: Vec<Vec<Shown>> = story.events().iter().map(shown_by).collect();
        let mut seen = BTreeSet::new();
        let deliveries = delivered(&order, shown.len()).filter(|event| seen.insert(*event));
        let mirrored = mirror(deliveries.flat_map(|event| &shown[event]));
        // Each object's last event is its state.
        let last: BTreeMap<&str, &Snapshot> =
            shown.iter().flatten().map(|one| (one.change.snapshot.id(), &one.change.snapshot)).collect();
        prop_assert_eq!(mirrored, last);
    }
}
