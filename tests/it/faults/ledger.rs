//! Events that senders sent, and the responses.

use apex_billing::domain::{metric::Metric, period::hour_of};
use serde_json::{Value, json};
use std::{
    collections::{BTreeSet, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// Hours of the events. They are closed, so `usage check` compares them.
const HOURS: u64 = 5;

/// An event: always the same for its number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    pub id: String,
    pub metric: &'static str,
    pub app: String,
    pub hour: OffsetDateTime,
    pub quantity: i64,
}

impl Event {
    /// The event with this number; `end` is a whole hour after the events.
    pub fn of(number: u32, end: OffsetDateTime) -> Event {
        // Pseudo-random and reproducible: splitmix64's finaliser.
        let mixed = (u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let part = |shift: u32, of: u64| (mixed >> shift) % of;
        Event {
            id: format!("e{number}"),
            metric: Metric::ALL[usize::try_from(part(8, 3)).unwrap()].as_str(),
            app: format!("app_{}", part(16, 3)),
            hour: end - Duration::hours(1 + i64::try_from(part(24, HOURS)).unwrap()),
            quantity: 1 + i64::try_from(part(32, 1_000_000)).unwrap(),
        }
    }

    pub fn to_json(&self) -> Value {
        let timestamp = (self.hour + Duration::seconds(self.quantity % 3600)).format(&Rfc3339).unwrap();
        json!({"id": self.id, "metric": self.metric, "quantity": self.quantity, "timestamp": timestamp, "app_id": self.app})
    }
}

/// An event's customer and number.
pub type Key = (Uuid, u32);

/// The senders' knowledge at the end.
pub struct Ledger {
    /// See [`Event::of`].
    pub end: OffsetDateTime,
    known: Mutex<Known>,
}

#[derive(Default)]
pub struct Known {
    /// In some request, with or without a response.
    pub sent: HashSet<Key>,
    /// In a request with a response: accepted, or a duplicate.
    pub answered: HashSet<Key>,
    /// The sum of accepted events in responses.
    pub accepted: u64,
    /// Requests with a response, and others.
    pub answers: u64,
    pub failures: u64,
}

impl Default for Ledger {
    fn default() -> Ledger {
        Ledger { end: hour_of(OffsetDateTime::now_utc()), known: Mutex::default() }
    }
}

impl Ledger {
    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begin(&self, customer: Uuid, batch: &BTreeSet<u32>) {
        self.known().sent.extend(batch.iter().map(|number| (customer, *number)));
    }

    pub fn answered(&self, customer: Uuid, batch: &BTreeSet<u32>, accepted: u64) {
        let mut known = self.known();
        known.answered.extend(batch.iter().map(|number| (customer, *number)));
        known.accepted += accepted;
        known.answers += 1;
    }
}
