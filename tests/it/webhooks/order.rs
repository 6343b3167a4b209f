//! Events of one second: the later state stays, in any order.

use super::{
    ask,
    convergence::{forget, mirrored, numbers},
    deliver, deliver_all, platform,
};
use crate::{
    outgoing::connected_to,
    stripe::StandIn,
    support::{TestApp, app::NOW, stand_in::TestStandIn},
};
use apex_billing::{
    domain::identity::CustomerId,
    service::{complete_objects, webhooks::apply_waiting},
};
use serde_json::{Value, json};
use time::Duration;

const T: i64 = 1_790_000_000;

fn event(id: &str, event_type: &str, created: i64, object: Value) -> Value {
    json!({"id": id, "object": "event", "api_version": "2026-08-26.dahlia", "created": created, "livemode": false, "type": event_type, "data": {"object": object}})
}

/// An event with previous values.
fn updated(id: &str, event_type: &str, created: i64, object: Value, previous: Value) -> Value {
    let mut event = event(id, event_type, created, object);
    event["data"]["previous_attributes"] = previous;
    event
}

fn with(mut object: Value, more: Value) -> Value {
    for (key, value) in more.as_object().expect("fields") {
        object[key] = value.clone();
    }
    object
}

fn items(price: &str, lookup_key: &str) -> Value {
    json!({"object": "list", "data": [{"id": "si_1", "object": "subscription_item", "quantity": 1, "current_period_start": T, "current_period_end": T + 2_592_000,
        "price": {"id": price, "object": "price", "lookup_key": lookup_key}}]})
}

fn subscription(price: &str, lookup_key: &str) -> Value {
    json!({"id": "sub_1", "object": "subscription", "customer": "cus_forge", "status": "active", "currency": "usd", "created": T, "cancel_at_period_end": false,
           "metadata": {}, "items": items(price, lookup_key)})
}

fn invoice(more: Value) -> Value {
    let least = json!({"id": "in_1", "object": "invoice", "customer": "cus_forge", "status": "open", "currency": "usd", "number": "B1-0001", "created": T,
        "subtotal": 10_000, "total": 10_000, "amount_due": 10_000, "amount_paid": 0, "amount_remaining": 10_000, "description": "old", "metadata": {},
        "status_transitions": {"finalized_at": T, "paid_at": null, "voided_at": null, "marked_uncollectible_at": null},
        "lines": {"object": "list", "has_more": false, "data": [{"id": "il_1", "object": "line_item", "amount": 10_000, "currency": "usd", "description": "Growth plan",
            "quantity": 1, "period": {"start": T, "end": T + 2_592_000}}]}});
    with(least, more)
}

/// Every permutation of some items.
fn permutations<T: Clone>(of: &[T]) -> Vec<Vec<T>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for place in 0..of.len() {
        let mut rest = of.to_vec();
        let first = rest.remove(place);
        all.extend(permutations(&rest).into_iter().map(|others| std::iter::once(first.clone()).chain(others).collect()));
    }
    all
}

/// Delivers the events in every order, twice each, and checks each time a query's result.
async fn always(app: &TestApp, events: &[Value], sql: &str, expected: &str) {
    for order in permutations(events) {
        forget(app).await;
        sqlx::raw_sql("TRUNCATE stripe_ties").execute(&app.db).await.expect("no ties");
        deliver_all(app, &order).await;
        deliver_all(app, &order).await;
        let ids: Vec<&Value> = order.iter().map(|event| &event["id"]).collect();
        assert_eq!(ask(&app.db, sql).await, expected, "{ids:?}");
    }
    assert_eq!(ask(&app.db, "SELECT object_id FROM stripe_ties").await, "");
}

#[tokio::test]
async fn the_new_price_stays_with_any_ids() {
    let (app, _) = platform().await;
    let old = subscription("price_old", "starter_monthly");
    let new = subscription("price_new", "growth_monthly");
    let events = [
        event("evt_Z1", "customer.subscription.trial_will_end", T, old),
        updated("evt_A1", "customer.subscription.updated", T, new, json!({"items": items("price_old", "starter_monthly")})),
    ];
    always(&app, &events, "SELECT plan_type, (SELECT price_id FROM subscription_items) FROM subscriptions", "growth|price_new").await;
}

#[tokio::test]
async fn previous_values_order_every_type() {
    let (app, _) = platform().await;
    let customer =
        json!({"id": "cus_forge", "object": "customer", "name": "Old", "balance": 0, "address": {"city": "Berlin", "country": "DE"}});
    let charge = json!({"id": "ch_1", "object": "charge", "customer": "cus_forge", "currency": "usd", "amount": 100, "amount_refunded": 0, "status": "succeeded",
        "created": T, "payment_method_details": {"type": "card"}});
    let refund = json!({"id": "re_1", "object": "refund", "charge": "ch_1", "currency": "usd", "amount": 100, "status": "pending", "created": T, "reason": null});
    let credit_note = json!({"id": "cn_1", "object": "credit_note", "customer": "cus_forge", "invoice": "in_1", "status": "issued", "type": "pre_payment",
        "currency": "usd", "amount": 119, "created": T, "memo": "old"});
    let payment = json!({"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1", "status": "paid", "amount_paid": 50, "created": T,
        "payment": {"type": "payment_intent", "payment_intent": "pi_1"}});
    let draft = invoice(json!({"status": "draft", "total": 9_000}));
    for (first, second, old, change, previous, sql, expected) in [
        (
            "customer.updated",
            "customer.updated",
            customer,
            json!({"address": {"city": "Paris", "country": "DE"}}),
            json!({"address": {"city": "Berlin"}}),
            "SELECT address ->> 'city' FROM customers",
            "Paris",
        ),
        // The balance as a number that may go in any direction.
        (
            "customer.updated",
            "customer.updated",
            json!({"id": "cus_forge", "object": "customer", "balance": -500}),
            json!({"balance": 300}),
            json!({"balance": -500}),
            "SELECT balance FROM customers",
            "300",
        ),
        (
            "invoice.sent",
            "invoice.updated",
            invoice(json!({})),
            json!({"description": "new"}),
            json!({"description": "old"}),
            "SELECT description FROM invoices",
            "new",
        ),
        (
            "invoice.created",
            "invoice.updated",
            draft,
            json!({"total": 10_000}),
            json!({"total": 9_000}),
            "SELECT total FROM invoices",
            "10000",
        ),
        // Back in its life cycle: the event's previous values count more than the status.
        (
            "customer.subscription.updated",
            "customer.subscription.updated",
            with(subscription("p", "growth"), json!({"status": "past_due"})),
            json!({"status": "active"}),
            json!({"status": "past_due"}),
            "SELECT status FROM subscriptions",
            "active",
        ),
        (
            "customer.subscription.updated",
            "customer.subscription.updated",
            with(subscription("p", "growth"), json!({"cancel_at_period_end": true})),
            json!({"cancel_at_period_end": false}),
            json!({"cancel_at_period_end": true}),
            "SELECT cancel_at_period_end FROM subscriptions",
            "false",
        ),
        // A counter that decreases, because a refund failed.
        (
            "charge.succeeded",
            "charge.updated",
            with(charge, json!({"amount_refunded": 40, "refunded": true})),
            json!({"amount_refunded": 0, "refunded": false}),
            json!({"amount_refunded": 40, "refunded": true}),
            "SELECT amount_refunded FROM charges",
            "0",
        ),
        (
            "refund.created",
            "refund.updated",
            refund,
            json!({"reason": "duplicate"}),
            json!({"reason": null}),
            "SELECT reason FROM refunds",
            "duplicate",
        ),
        (
            "credit_note.updated",
            "credit_note.updated",
            credit_note,
            json!({"memo": "new"}),
            json!({"memo": "old"}),
            "SELECT memo FROM credit_notes",
            "new",
        ),
        (
            "invoice_payment.paid",
            "invoice_payment.overpaid",
            payment,
            json!({"amount_paid": 70}),
            json!({"amount_paid": 50}),
            "SELECT amount FROM invoice_payments",
            "70",
        ),
    ] {
        let new = with(old.clone(), change);
        let newer = updated("evt_A1", second, T, new, previous);
        always(&app, &[event("evt_Z1", first, T, old), newer], sql, expected).await;
    }
}

#[tokio::test]
async fn a_chain_ends_with_its_last_link_in_every_order() {
    let (app, _) = platform().await;
    let named = |name: &str, email: &str| json!({"id": "cus_forge", "object": "customer", "name": name, "email": email});
    let chain = [
        updated("evt_9", "customer.updated", T, named("B", "x"), json!({"name": "A"})),
        updated("evt_5", "customer.updated", T, named("C", "x"), json!({"name": "B"})),
        updated("evt_1", "customer.updated", T, named("C", "y"), json!({"email": "x"})),
        updated("evt_3", "customer.updated", T, named("D", "y"), json!({"name": "C"})),
    ];
    always(&app, &chain, "SELECT name, email FROM customers", "D|y").await;
    // A name that changes and changes back: the end of an earlier second decides which was first.
    let back = [
        event("evt_7", "customer.created", T - 60, named("A", "x")),
        updated("evt_9", "customer.updated", T, named("B", "x"), json!({"name": "A"})),
        updated("evt_5", "customer.updated", T, named("A", "x"), json!({"name": "B"})),
    ];
    for order in permutations(&back) {
        forget(&app).await;
        deliver_all(&app, &order).await;
        assert_eq!(ask(&app.db, "SELECT name, event_id FROM customers").await, "A|evt_5");
    }
    // The final result was certain, also where intermediate ones were not.
    assert_eq!(ask(&app.db, "SELECT object_id FROM stripe_ties").await, "");
}

#[tokio::test]
async fn an_event_wins_over_a_fetch_of_its_second() {
    let (app, _) = platform().await;
    let fetched = event("fetched_in_1_1790000000", "invoice.fetched", T, invoice(json!({"description": "fetched"})));
    let events =
        [fetched.clone(), updated("evt_1", "invoice.updated", T, invoice(json!({"description": "new"})), json!({"description": "old"}))];
    always(&app, &events, "SELECT description FROM invoices", "new").await;
    // Also without previous values.
    always(&app, &[fetched, event("evt_1", "invoice.sent", T, invoice(json!({})))], "SELECT description FROM invoices", "old").await;
}

#[tokio::test]
async fn a_second_in_one_transaction_ends_the_same() {
    let (app, _) = platform().await;
    let described = |n: usize| invoice(json!({"description": format!("{n}")}));
    let mut events = vec![event("evt_z", "invoice.created", T, described(0))];
    for n in 1..6 {
        let previous = json!({"description": format!("{}", n - 1)});
        events.push(updated(&format!("evt_{}", 9 - n), "invoice.updated", T, described(n), previous));
    }
    for seed in 0..10 {
        forget(&app).await;
        let mut next = numbers(seed + 1);
        (1..events.len()).rev().for_each(|i| events.swap(i, next(i + 1)));
        futures::future::join_all(events.iter().chain(&events).map(|event| deliver(&app, event))).await;
        assert_eq!(ask(&app.db, "SELECT description FROM invoices").await, "5", "seed {seed}");
        assert_eq!(ask(&app.db, "SELECT count(*), min(status), max(status) FROM stripe_webhook_events").await, "6|applied|applied");
    }
}

#[tokio::test]
async fn a_replay_of_the_earlier_event_changes_nothing() {
    let (app, _) = platform().await;
    let old = event("evt_Z1", "invoice.sent", T, invoice(json!({})));
    let new = updated("evt_A1", "invoice.updated", T, invoice(json!({"description": "new"})), json!({"description": "old"}));
    deliver_all(&app, &[old, new]).await;
    let before = ask(&app.db, "SELECT description, version FROM invoices").await;
    sqlx::raw_sql("UPDATE stripe_webhook_events SET status = 'received', attempts = 0").execute(&app.db).await.expect("events that wait");
    assert_eq!(apply_waiting(&app.platform, 10).await.expect("a run"), 2);
    assert_eq!(ask(&app.db, "SELECT description, version FROM invoices").await, before);
    assert_eq!(ask(&app.db, "SELECT count(*) FROM events").await, "2");
}

/// A life cycle of several objects in three seconds, each event with previous values.
fn history() -> Vec<Value> {
    let mut events = Vec::new();
    let mut next_id = numbers(77);
    let mut id = || format!("evt_{}", next_id(1_000_000_000));
    let named = |name: &str, balance: i64| json!({"id": "cus_forge", "object": "customer", "name": name, "balance": balance, "metadata": {"n": balance.to_string()}});
    events.push(event(&id(), "customer.updated", T, named("A", 0)));
    for (name, before) in [("B", "A"), ("A", "B"), ("C", "A")] {
        events.push(updated(&id(), "customer.updated", T, named(name, 0), json!({"name": before})));
    }
    events.push(updated(&id(), "customer.updated", T + 1, named("C", 7), json!({"balance": 0, "metadata": {"n": "0"}})));
    events.push(event(&format!("fetched_cus_forge_{T}"), "customer.fetched", T, named("B", 0)));
    events.push(event(&id(), "customer.subscription.created", T, subscription("price_1", "starter")));
    let second = subscription("price_2", "growth");
    events.push(updated(&id(), "customer.subscription.updated", T, second.clone(), json!({"items": items("price_1", "starter")})));
    events.push(event(&id(), "customer.subscription.trial_will_end", T, second.clone()));
    let ending = with(second.clone(), json!({"cancel_at_period_end": true}));
    events.push(updated(&id(), "customer.subscription.updated", T, ending, json!({"cancel_at_period_end": false})));
    events.push(updated(&id(), "customer.subscription.updated", T, second, json!({"cancel_at_period_end": true})));
    events.push(event(&id(), "invoice.created", T, invoice(json!({"status": "draft"}))));
    events.push(updated(&id(), "invoice.updated", T, invoice(json!({"status": "open"})), json!({"status": "draft"})));
    events.push(event(&id(), "invoice.finalized", T, invoice(json!({"status": "open"}))));
    let paid = invoice(json!({"status": "paid", "amount_paid": 10_000, "amount_remaining": 0}));
    events.push(event(&id(), "invoice.paid", T, paid.clone()));
    events.push(updated(
        &id(),
        "invoice.updated",
        T,
        with(paid.clone(), json!({"metadata": {"k": "v"}})),
        json!({"metadata": {"k": null}}),
    ));
    events.push(updated(
        &id(),
        "invoice.updated",
        T,
        with(paid, json!({"metadata": {"k": "v"}, "description": "new"})),
        json!({"description": "old"}),
    ));
    events
}

#[tokio::test]
async fn any_order_of_three_busy_seconds_gives_one_mirror() {
    let (app, _) = platform().await;
    let mut history = history();
    deliver_all(&app, &history).await;
    let expected = mirrored(&app).await;
    assert_eq!(ask(&app.db, "SELECT name, balance FROM customers").await, "C|7");
    assert_eq!(ask(&app.db, "SELECT plan_type, cancel_at_period_end FROM subscriptions").await, "growth|false");
    assert_eq!(ask(&app.db, "SELECT status, description FROM invoices").await, "paid|new");
    for seed in 0..30 {
        forget(&app).await;
        let mut next = numbers(seed + 1);
        (1..history.len()).rev().for_each(|i| history.swap(i, next(i + 1)));
        let again: Vec<Value> = history.iter().step_by(3).cloned().collect();
        if seed % 3 == 0 {
            futures::future::join_all(history.iter().chain(&again).map(|event| deliver(&app, event))).await;
        } else {
            deliver_all(&app, &history).await;
            deliver_all(&app, &again).await;
        }
        assert_eq!(mirrored(&app).await, expected, "seed {seed}");
    }
}

/// An object of the stand-in, and two events of one second without an order.
async fn undecided(app: &TestApp, object: &Value) {
    let at = (NOW - Duration::minutes(1)).unix_timestamp();
    let other = with(object.clone(), json!({"description": "other"}));
    app.deliver(&[
        event("evt_1", "invoice.sent", at, other),
        event("evt_2", "invoice.overdue", at, with(object.clone(), json!({"description": "another"}))),
    ])
    .await;
}

const DESCRIPTION: &str = "SELECT description FROM invoices";

#[tokio::test]
async fn an_undecided_second_is_fetched_again_when_it_is_over() {
    let stand_in = StandIn::start().await;
    stand_in.seed_customer("lumen");
    let app = connected_to(&stand_in).await;
    app.add_customer("lumen").await;
    let object = crate::stand_in::client::post(&stand_in, "v1/invoices", "customer=cus_lumen&description=truth").await;
    undecided(&app, &object).await;
    assert_eq!(ask(&app.db, DESCRIPTION).await, "another");
    assert_eq!(ask(&app.db, "SELECT kind, object_id = (SELECT stripe_invoice_id FROM invoices) FROM stripe_ties").await, "invoice|true");
    assert_eq!(complete_objects::run(&app.platform, 10).await.expect("a run"), 1);
    assert_eq!(ask(&app.db, DESCRIPTION).await, "truth");
    assert_eq!(ask(&app.db, "SELECT object_id FROM stripe_ties").await, "");
    // A replay doesn't fetch again.
    sqlx::raw_sql("UPDATE stripe_webhook_events SET status = 'received', attempts = 0").execute(&app.db).await.expect("events that wait");
    assert_eq!(apply_waiting(&app.platform, 10).await.expect("a run"), 3);
    assert_eq!(complete_objects::run(&app.platform, 10).await.expect("a run"), 0);
    assert_eq!(ask(&app.db, DESCRIPTION).await, "truth");
}

#[tokio::test]
async fn a_fetch_waits_until_the_second_is_over() {
    let stand_in = StandIn::start().await;
    stand_in.seed_customer("lumen");
    let app = connected_to(&stand_in).await;
    app.add_customer("lumen").await;
    let object = crate::stand_in::client::post(&stand_in, "v1/invoices", "customer=cus_lumen&description=truth").await;
    let events = ["invoice.sent", "invoice.overdue"].map(|event_type| {
        event(&format!("evt_{event_type}"), event_type, NOW.unix_timestamp(), with(object.clone(), json!({"description": event_type})))
    });
    app.deliver(&events).await;
    assert_eq!(complete_objects::run(&app.platform, 10).await.expect("a run"), 0);
    app.advance(Duration::SECOND);
    // Stripe's clock is behind ours: the fetched state is as old as the second, and is fetched
    // again later.
    assert_eq!(complete_objects::run(&app.platform, 10).await.expect("a run"), 1);
    assert_eq!(ask(&app.db, DESCRIPTION).await, "invoice.sent");
    assert_eq!(ask(&app.db, "SELECT attempts FROM stripe_ties").await, "1");
    app.advance(Duration::minutes(2));
    stand_in.advance(Duration::minutes(2));
    assert_eq!(complete_objects::run(&app.platform, 10).await.expect("a run"), 1);
    assert_eq!(ask(&app.db, DESCRIPTION).await, "truth");
}

#[tokio::test]
async fn without_a_key_the_last_resort_is_the_same_in_any_order() {
    let (app, _) = platform().await;
    let events = ["a", "b", "c"].map(|name| event(&format!("evt_{name}"), "invoice.sent", T, invoice(json!({"description": name}))));
    for order in permutations(&events) {
        forget(&app).await;
        sqlx::raw_sql("TRUNCATE stripe_ties").execute(&app.db).await.expect("no ties");
        deliver_all(&app, &order).await;
        assert_eq!(ask(&app.db, DESCRIPTION).await, "c");
        assert_eq!(ask(&app.db, "SELECT object_id FROM stripe_ties").await, "in_1");
    }
}

#[tokio::test]
async fn a_fetched_object_is_dated_by_its_request() {
    let stand_in = StandIn::start().await;
    stand_in.seed_customer("lumen");
    let app = connected_to(&stand_in).await;
    let lumen: CustomerId = app.add_customer("lumen").await;
    // Stripe's clock shows a later time than at the request.
    stand_in.advance(Duration::seconds(3));
    let object = crate::stand_in::client::post(&stand_in, "v1/invoices", "customer=cus_lumen&description=before").await;
    app.deliver(&[
        json!({"id": "evt_1", "object": "v2.core.event", "type": "v1.invoice.updated", "created": "2026-11-22T15:50:00Z", "livemode": false,
        "related_object": {"id": object["id"], "type": "invoice"}}),
    ])
    .await;
    assert_eq!(complete_objects::run(&app.platform, 10).await.expect("a run"), 1);
    let after = with(object.clone(), json!({"description": "after"}));
    app.deliver(&[updated("evt_2", "invoice.updated", NOW.unix_timestamp(), after, json!({"description": "before"}))]).await;
    assert_eq!(ask(&app.db, &format!("{DESCRIPTION} WHERE customer_id = '{lumen}'")).await, "after");
}
