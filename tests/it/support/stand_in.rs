//! What tests do to Stripe's stand-in behind the back of its API: fill it, change it, watch it.

use crate::stripe::{
    StandIn,
    faults::{Fault, Trouble},
    lines::Line,
    server::{Logged, locked},
    store::{Origin, Store, built, set},
    webhooks::{Attempt, Endpoint},
};
use apex_billing::service::Clock;
use serde_json::{Value, json};
use time::Duration;

/// Its secret key.
pub const SECRET_KEY: &str = "sk_test_of_the_tests";

impl StandIn {
    /// On a free port, its clock standing at [`super::app::NOW`] like that of a `TestApp`.
    pub async fn start() -> StandIn {
        StandIn::listen("127.0.0.1:0", SECRET_KEY, Clock::new(|| super::app::NOW)).await.expect("a free port")
    }

    /// Puts its clock forward, whole seconds.
    pub fn advance(&self, by: Duration) {
        self.shared.advance(by.whole_seconds());
    }

    /// Works on what it knows; what that emits is delivered.
    pub fn work<T>(&self, work: impl FnOnce(&mut Store) -> T) -> T {
        self.shared.work(Origin::default(), work)
    }

    /// A customer of this name with the id `cus_NAME`, in dollars; no event tells of it.
    pub fn seed_customer(&self, name: &str) -> String {
        let id = format!("cus_{name}");
        self.work(|store| {
            let members =
                json!({"id": id, "created": store.now, "name": name, "email": format!("billing@{name}.example"), "currency": "usd"});
            store.put("customer", built("customer", members));
        });
        id
    }

    /// So many paid invoices of a customer, each with a line, its charge and its payment, one for each minute before now; oldest first.
    pub fn seed_invoices(&self, customer: &str, count: i64) -> Vec<String> {
        self.work(|store| {
            let now = store.now;
            let customer = store.get("customer", customer).cloned().unwrap_or_else(|| json!({"id": customer}));
            let mut ids = Vec::new();
            for minute in (1..=count).rev() {
                store.now = now - minute * 60;
                ids.push(paid_invoice(store, &customer));
            }
            store.now = now;
            // They are older than anybody's interest in their events.
            store.fresh.clear();
            ids
        })
    }

    /// Keeps an object as it is, its kind by its `object` member; no event tells of it.
    pub fn put(&self, object: Value) {
        let kind = object["object"].as_str().expect("an object with its kind").to_owned();
        self.work(|store| store.put(&kind, object));
    }

    /// Changes an object and tells nobody: drift.
    #[track_caller]
    pub fn tamper(&self, kind: &str, id: &str, change: impl FnOnce(&mut Value)) {
        self.work(|store| {
            let mut object = store.get(kind, id).cloned().unwrap_or_else(|| panic!("no {kind} {id}"));
            change(&mut object);
            store.put(kind, object);
        });
    }

    /// Removes an object and tells nobody.
    #[track_caller]
    pub fn lose(&self, kind: &str, id: &str) -> Value {
        self.work(|store| store.remove(kind, id)).unwrap_or_else(|| panic!("no {kind} {id}"))
    }

    /// An object as it stands, all of its lines with it.
    pub fn object(&self, kind: &str, id: &str) -> Option<Value> {
        self.shared.store().get(kind, id).cloned()
    }

    /// Every event so far, oldest first.
    pub fn events(&self) -> Vec<Value> {
        self.shared.store().all("event").objects.values().cloned().collect()
    }

    /// Every request so far, oldest first.
    pub fn requests(&self) -> Vec<Logged> {
        self.shared.requests()
    }

    pub fn fault(&self, fault: Fault) {
        locked(&self.shared.faults).push(fault);
    }

    /// Waits until so many answers wait to be released.
    pub async fn held(&self, waiting: usize) {
        self.shared.held.0.subscribe().wait_for(|gate| gate.waiting == waiting).await.expect("a stand-in");
    }

    /// Delivers events from now on.
    pub fn deliver_to(&self, endpoint: Endpoint) {
        *locked(&self.shared.deliveries.endpoint) = Some(endpoint);
    }

    /// Delivers these events, once more or for the first time.
    pub fn resend(&self, events: Vec<Value>) {
        self.shared.deliveries.push(events);
    }

    /// Waits until all of them are delivered or given up, and says how that went.
    pub async fn settle(&self) -> Vec<Attempt> {
        self.shared.deliveries.settle().await;
        self.shared.deliveries.attempts()
    }
}

fn paid_invoice(store: &mut Store, customer: &Value) -> String {
    let mut invoice = store.draft(customer, "usd", None, "manual");
    let line = Line {
        description: "Growth plan".into(),
        amount: 49_900,
        quantity: 1,
        unit_amount: "49900".into(),
        period: (store.now - 86_400, store.now),
        subscription_item: None,
        price: None,
    };
    store.add_line(&mut invoice, &line);
    let (id, now) = (invoice["id"].as_str().expect("an id").to_owned(), store.now);
    set(
        &mut invoice,
        json!({"status": "paid", "number": format!("SEED-{id}"), "amount_paid": 49_900, "amount_remaining": 0, "attempted": true}),
    );
    invoice["status_transitions"] = json!({"finalized_at": now, "paid_at": now, "voided_at": null, "marked_uncollectible_at": null});
    store.record_payment(&invoice, 49_900, false);
    store.put("invoice", invoice);
    id
}

impl Fault {
    fn of(trouble: Trouble) -> Fault {
        Fault { trouble, times: 1, skip: 0, method: None, path: None, after_the_work: false }
    }

    /// An error of this status, once, wherever.
    pub fn status(status: u16) -> Fault {
        Fault::of(Trouble::Status { status, retry_after: None })
    }

    pub fn hang() -> Fault {
        Fault::of(Trouble::Hang)
    }

    /// The answer waits until it is released.
    pub fn hold() -> Fault {
        Fault::of(Trouble::Hold)
    }

    pub fn half_a_body() -> Fault {
        Fault::of(Trouble::HalfABody)
    }

    pub fn malformed_json() -> Fault {
        Fault::of(Trouble::MalformedJson)
    }

    pub fn empty_list(has_more: bool) -> Fault {
        Fault::of(Trouble::EmptyList { has_more })
    }

    /// The page of a list turned round.
    pub fn oldest_first() -> Fault {
        Fault::of(Trouble::OldestFirst)
    }

    /// In seconds; for an error.
    pub fn retry_after(mut self, seconds: u64) -> Fault {
        if let Trouble::Status { retry_after, .. } = &mut self.trouble {
            *retry_after = Some(seconds);
        }
        self
    }

    pub fn times(self, times: u32) -> Fault {
        Fault { times, ..self }
    }

    /// Lets so many requests through first.
    pub fn after(self, skip: u32) -> Fault {
        Fault { skip, ..self }
    }

    /// On this method and path only; a path may end with `*`.
    pub fn on(self, method: &str, path: &str) -> Fault {
        Fault { method: Some(method.to_owned()), path: Some(path.to_owned()), ..self }
    }

    /// The work is done, and only the answer is lost.
    pub fn after_the_work(self) -> Fault {
        Fault { after_the_work: true, ..self }
    }
}
