//! Refunds of invoices: each counts once, and only if it succeeded.

use super::{
    ask,
    convergence::{forget, mirrored, numbers},
    deliver, deliver_all, platform,
};
use crate::support::TestApp;
use apex_billing::domain::{identity::CustomerId, role::Role};
use serde_json::{Value, json};

const T: i64 = 1_790_000_000;

fn event(id: &str, event_type: &str, created: i64, object: Value) -> Value {
    json!({"id": id, "object": "event", "api_version": "2026-08-26.dahlia", "created": created, "livemode": false, "type": event_type, "data": {"object": object}})
}

fn invoice(name: &str, amount: i64) -> Value {
    json!({"id": format!("in_{name}"), "object": "invoice", "customer": "cus_forge", "status": "paid", "currency": "usd", "number": name, "created": T,
        "subtotal": amount, "total": amount, "amount_due": amount, "amount_paid": amount, "amount_remaining": 0,
        "status_transitions": {"finalized_at": T, "paid_at": T, "voided_at": null, "marked_uncollectible_at": null},
        "lines": {"object": "list", "has_more": false, "data": [{"id": format!("il_{name}"), "object": "line_item", "amount": amount, "currency": "usd",
            "description": "Growth plan", "quantity": 1, "period": {"start": T, "end": T + 9}}]}})
}

fn payment(name: &str, amount: i64) -> Value {
    json!({"id": format!("inpay_{name}"), "object": "invoice_payment", "invoice": format!("in_{name}"), "status": "paid", "amount_paid": amount, "created": T,
        "payment": {"type": "payment_intent", "payment_intent": "pi_1"}})
}

fn charge(amount: i64, refunded: i64) -> Value {
    json!({"id": "ch_1", "object": "charge", "customer": "cus_forge", "currency": "usd", "amount": amount, "amount_captured": amount, "amount_refunded": refunded,
        "status": "succeeded", "created": T, "payment_intent": "pi_1", "payment_method_details": {"type": "card"}})
}

fn refund(id: &str, amount: i64, status: &str) -> Value {
    json!({"id": id, "object": "refund", "charge": "ch_1", "payment_intent": "pi_1", "currency": "usd", "amount": amount, "status": status, "created": T + 50,
        "reason": "requested_by_customer"})
}

/// One intent that paid 10000 of one invoice and 5000 of another.
fn paid_together() -> Vec<Value> {
    let mut events = Vec::new();
    for (name, amount) in [("a", 10_000), ("b", 5_000)] {
        events.push(event(&format!("evt_in_{name}"), "invoice.paid", T + 5, invoice(name, amount)));
        events.push(event(&format!("evt_inpay_{name}"), "invoice_payment.paid", T + 5, payment(name, amount)));
    }
    events.push(event("evt_ch", "charge.succeeded", T + 5, charge(15_000, 0)));
    events
}

const REFUNDED: &str = "SELECT number, amount_refunded FROM invoices ORDER BY number";

/// The API's refunds of an invoice: amount and status of each.
async fn listed(app: &TestApp, customer: CustomerId, name: &str) -> (i64, Vec<(i64, String)>, Vec<String>) {
    let client = app.sign_in(Role::Readonly, Some(customer)).await;
    let id = ask(&app.db, &format!("SELECT id FROM invoices WHERE number = '{name}'")).await;
    let detail = client.get(&format!("/api/v1/billing/invoices/{id}")).await.json();
    let refunds = detail["refunds"].as_array().expect("refunds").iter();
    let refunds =
        refunds.map(|refund| (refund["amount"].as_i64().expect("an amount"), refund["status"].as_str().expect("a status").to_owned()));
    let titles =
        detail["timeline"].as_array().expect("a timeline").iter().map(|entry| entry["title"].as_str().expect("a title").to_owned());
    (detail["amount_refunded"].as_i64().expect("an amount"), refunds.collect(), titles.collect())
}

#[tokio::test]
async fn a_partial_refund_of_one_intent_shows_on_one_invoice() {
    let (app, customer) = platform().await;
    let mut events = paid_together();
    events.push(event("evt_re", "refund.created", T + 50, refund("re_1", 3_000, "succeeded")));
    events.push(event("evt_ch_2", "charge.refunded", T + 50, charge(15_000, 3_000)));
    deliver_all(&app, &events).await;
    let expected = mirrored(&app).await;
    assert_eq!(ask(&app.db, REFUNDED).await, "a|3000 b|0");
    let (refunded, refunds, titles) = listed(&app, customer, "a").await;
    assert_eq!((refunded, refunds), (3_000, vec![(3_000, "succeeded".to_owned())]));
    assert_eq!(titles, ["Payment received", "Refund of $30.00 issued"]);
    assert_eq!(listed(&app, customer, "b").await, (0, vec![], vec!["Payment received".to_owned()]));
    for seed in 0..15 {
        forget(&app).await;
        let mut next = numbers(seed + 1);
        (1..events.len()).rev().for_each(|i| events.swap(i, next(i + 1)));
        deliver_all(&app, &events).await;
        assert_eq!(mirrored(&app).await, expected, "seed {seed}");
    }
    // The rest of it: each invoice gets what was paid there.
    deliver(&app, &event("evt_re_2", "refund.created", T + 60, refund("re_2", 12_000, "succeeded"))).await;
    deliver(&app, &event("evt_ch_3", "charge.refunded", T + 60, charge(15_000, 15_000))).await;
    assert_eq!(ask(&app.db, REFUNDED).await, "a|10000 b|5000");
    assert_eq!(listed(&app, customer, "b").await.1, [(5_000, "succeeded".to_owned())]);
}

#[tokio::test]
async fn without_the_refund_itself_the_charge_counts_once() {
    let (app, _) = platform().await;
    let mut events = paid_together();
    events.push(event("evt_ch_2", "charge.refunded", T + 50, charge(15_000, 12_000)));
    for turn in 0..events.len() {
        forget(&app).await;
        events.rotate_left(turn);
        deliver_all(&app, &events).await;
        assert_eq!(ask(&app.db, REFUNDED).await, "a|10000 b|2000", "{turn}");
    }
}

#[tokio::test]
async fn a_credit_note_allocates_the_refund() {
    let (app, customer) = platform().await;
    let mut events = paid_together();
    let mut credited = invoice("b", 5_000);
    credited["post_payment_credit_notes_amount"] = json!(3_000);
    events.push(event("evt_re", "refund.created", T + 50, refund("re_1", 3_000, "succeeded")));
    events.push(event("evt_in_b_2", "invoice.updated", T + 50, credited));
    for turn in 0..events.len() {
        forget(&app).await;
        events.rotate_left(turn);
        deliver_all(&app, &events).await;
        assert_eq!(ask(&app.db, REFUNDED).await, "a|0 b|3000", "{turn}");
    }
    assert!(listed(&app, customer, "a").await.1.is_empty());
}

#[tokio::test]
async fn failed_refunds_count_nothing() {
    let (app, customer) = platform().await;
    for (status, event_type) in [("failed", "refund.failed"), ("canceled", "refund.updated"), ("failed", "charge.refund.updated")] {
        let mut events = vec![
            event("evt_in", "invoice.paid", T + 5, invoice("a", 10_000)),
            event("evt_inpay", "invoice_payment.paid", T + 5, payment("a", 10_000)),
            event("evt_re", "refund.created", T + 50, refund("re_1", 3_000, "succeeded")),
            event("evt_ch", "charge.refunded", T + 50, charge(10_000, 3_000)),
            event("evt_end", event_type, T + 90, refund("re_1", 3_000, status)),
        ];
        for turn in 0..events.len() {
            forget(&app).await;
            events.rotate_left(turn);
            deliver_all(&app, &events).await;
            assert_eq!(ask(&app.db, REFUNDED).await, "a|0", "{status} {turn}");
        }
        let (refunded, refunds, _) = listed(&app, customer, "a").await;
        assert_eq!((refunded, refunds), (0, vec![(3_000, status.to_owned())]));
        // Another one that succeeded.
        deliver(&app, &event("evt_re_2", "refund.created", T + 95, refund("re_2", 1_000, "succeeded"))).await;
        assert_eq!(ask(&app.db, REFUNDED).await, "a|1000");
        deliver(&app, &event("evt_ch_2", "charge.refunded", T + 96, charge(10_000, 1_000))).await;
        assert_eq!(ask(&app.db, REFUNDED).await, "a|1000");
    }
}

#[tokio::test]
async fn an_old_charge_with_a_failed_refund_counts_nothing() {
    let (app, _) = platform().await;
    let mut old = charge(10_000, 3_000);
    old["invoice"] = json!("in_a");
    old["refunds"] = json!({"object": "list", "data": [refund("re_1", 3_000, "succeeded")]});
    let mut failed = refund("re_1", 3_000, "failed");
    failed["payment_intent"] = Value::Null;
    let mut events = vec![
        event("evt_in", "invoice.paid", T + 5, invoice("a", 10_000)),
        event("evt_ch", "charge.refunded", T + 50, old),
        event("evt_end", "charge.refund.updated", T + 90, failed),
    ];
    for turn in 0..events.len() {
        forget(&app).await;
        events.rotate_left(turn);
        deliver_all(&app, &events).await;
        assert_eq!(ask(&app.db, REFUNDED).await, "a|0", "{turn}");
    }
}
