//! Test-only operations of the Stripe stand-in: starting it at the tests' time, filling it, causing
//! drift.

use super::app::NOW;
use apex_billing::stripe_stand_in::{
    StandIn,
    lines::Line,
    store::{Store, built, set},
};
use serde_json::{Value, json};

/// Its secret key.
pub const SECRET_KEY: &str = "sk_test_of_the_tests";

pub trait TestStandIn {
    /// On a free port; its clock is [`NOW`], like that of a `TestApp`.
    async fn start() -> StandIn;

    /// A customer with this name and the id `cus_NAME`, in dollars, without an event.
    fn seed_customer(&self, name: &str) -> String;

    /// Paid invoices of a customer, each with a line, its charge and its payment, one per minute
    /// before now; oldest first.
    fn seed_invoices(&self, customer: &str, count: i64) -> Vec<String>;

    /// Changes an object without an event: drift.
    fn tamper(&self, kind: &str, id: &str, change: impl FnOnce(&mut Value));

    /// Removes an object without an event.
    fn lose(&self, kind: &str, id: &str) -> Value;

    /// Waits until this many responses are held.
    async fn held(&self, waiting: usize);
}

impl TestStandIn for StandIn {
    async fn start() -> StandIn {
        StandIn::listen("127.0.0.1:0", SECRET_KEY, || NOW).await.expect("a free port")
    }

    fn seed_customer(&self, name: &str) -> String {
        let id = format!("cus_{name}");
        self.work(|store| {
            let members =
                json!({"id": id, "created": store.now, "name": name, "email": format!("billing@{name}.example"), "currency": "usd"});
            store.put("customer", built("customer", members));
        });
        id
    }

    fn seed_invoices(&self, customer: &str, count: i64) -> Vec<String> {
        self.work(|store| {
            let now = store.now;
            let customer = store.get("customer", customer).cloned().unwrap_or_else(|| json!({"id": customer}));
            let mut ids = Vec::new();
            for minute in (1..=count).rev() {
                store.now = now - minute * 60;
                ids.push(paid_invoice(store, &customer));
            }
            store.now = now;
            // Their events are in the list and are not delivered.
            store.fresh.clear();
            ids
        })
    }

    #[track_caller]
    fn tamper(&self, kind: &str, id: &str, change: impl FnOnce(&mut Value)) {
        let mut object = self.object(kind, id).unwrap_or_else(|| panic!("no {kind} {id}"));
        change(&mut object);
        self.work(|store| store.put(kind, object));
    }

    #[track_caller]
    fn lose(&self, kind: &str, id: &str) -> Value {
        self.remove(kind, id).unwrap_or_else(|| panic!("no {kind} {id}"))
    }

    async fn held(&self, waiting: usize) {
        self.shared.held.0.subscribe().wait_for(|gate| gate.waiting == waiting).await.expect("a stand-in");
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
