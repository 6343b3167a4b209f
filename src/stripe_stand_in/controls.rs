//! Controls for a caller in the same process: read and change objects without the API, inspect
//! requests and deliveries.

use super::{
    StandIn,
    faults::Fault,
    locked::locked,
    server::Logged,
    store::{Origin, Store, text},
    webhooks::{Attempt, Endpoint},
};
use serde_json::Value;
use time::Duration;

impl StandIn {
    /// Advances the clock by whole seconds.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by.whole_seconds());
    }

    /// Changes objects; the resulting events are delivered.
    pub fn work<T>(&self, work: impl FnOnce(&mut Store) -> T) -> T {
        self.shared.work(Origin::default(), work)
    }

    /// Stores an object unchanged, without an event. Its `object` member is its type.
    pub fn put(&self, object: Value) {
        let kind = text(&object, "object").to_owned();
        self.work(|store| store.put(&kind, object));
    }

    /// Removes an object, without an event.
    pub fn remove(&self, kind: &str, id: &str) -> Option<Value> {
        self.work(|store| store.remove(kind, id))
    }

    /// A stored object with all of its lines.
    pub fn object(&self, kind: &str, id: &str) -> Option<Value> {
        self.shared.store().get(kind, id).cloned()
    }

    /// Every event so far, oldest first.
    pub fn events(&self) -> Vec<Value> {
        self.shared.store().all("event").objects.values().cloned().collect()
    }

    /// The latest requests, oldest first.
    pub fn requests(&self) -> Vec<Logged> {
        self.shared.requests()
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        locked(&self.shared.faults).push(fault);
    }

    /// Delivers events to this endpoint from now on.
    pub fn deliver_to(&self, endpoint: Endpoint) {
        *locked(&self.shared.deliveries.endpoint) = Some(endpoint);
    }

    /// Delivers these events, again or for the first time.
    pub fn resend(&self, events: Vec<Value>) {
        self.shared.deliveries.push(events);
    }

    /// Waits until every event is delivered or given up, and returns the attempts.
    pub async fn settle(&self) -> Vec<Attempt> {
        self.shared.deliveries.settle().await;
        self.shared.deliveries.attempts()
    }
}
