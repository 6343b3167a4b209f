//! Stripe's webhooks, from the signed delivery to the customer's pages.

mod batches;
pub mod convergence;
mod credit_notes;
mod customers;
pub mod figures;
mod order;
mod refunds;
mod strangers;
mod write_path;

use crate::support::{
    TestApp,
    app::{NOW, WEBHOOK_SECRET},
};
use apex_billing::{
    config::Secret,
    demo::stripe_events::{Address, DemoCustomer, Outcome, OverageLine, in_old_shape, invoice_id, month_events, subscription_events},
    domain::{
        identity::CustomerId,
        metric::Metric,
        period::Period,
        plan::{PlanType, Terms},
    },
    service::webhooks::apply_waiting,
    store::postgres::inbox,
    stripe::signature,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::{Duration, macros::datetime};

fn pixel_forge() -> DemoCustomer {
    DemoCustomer {
        stripe_id: "cus_forge".into(),
        name: "Pixel Forge".into(),
        email: "billing@pixelforge.test".into(),
        address: Address {
            line1: "1 Main Street".into(),
            city: "Berlin".into(),
            state: None,
            postal_code: "10115".into(),
            country: "DE".into(),
        },
        tax_id: Some(("eu_vat".into(), "DE123456789".into())),
        currency: "usd".parse().expect("a currency"),
        plan: PlanType::Growth,
        tax_percent: 19,
        discount_percent: 0,
    }
}

fn september() -> Period {
    Period::calendar_month(datetime!(2026-09-01 0:00 UTC))
}

fn overage() -> OverageLine {
    let terms = Terms { included: 10_000_000, package: 1000.try_into().expect("not zero"), price_per_package: 8 };
    OverageLine { metric: Metric::Impressions, terms, used: 12_345_678 }
}

fn month(outcome: Outcome) -> Vec<Value> {
    month_events(&pixel_forge(), september(), outcome, &[overage()])
}

fn of_type(events: &[Value], event_type: &str) -> Value {
    events.iter().find(|event| event["type"] == event_type).unwrap_or_else(|| panic!("no {event_type}")).clone()
}

/// A platform that knows Pixel Forge.
async fn platform() -> (TestApp, CustomerId) {
    platform_with(&[]).await
}

async fn platform_with(variables: &[(&str, &str)]) -> (TestApp, CustomerId) {
    let app = TestApp::start_with(variables).await;
    let customer = app.add_customer("forge").await;
    (app, customer)
}

/// Delivers an event that must be accepted, and returns the response.
async fn deliver(app: &TestApp, event: &Value) -> Value {
    let answer = app.post_webhook(&event.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn deliver_all(app: &TestApp, events: &[Value]) {
    for event in events {
        deliver(app, event).await;
    }
}

/// A query's result as text: columns separated by `|`, rows by spaces.
pub async fn ask(db: &PgPool, sql: &str) -> String {
    let row =
        "SELECT string_agg(value, '|' ORDER BY place) FROM json_each_text(row_to_json(asked)) WITH ORDINALITY AS cell (key, value, place)";
    let sql = format!("SELECT coalesce(string_agg(({row}), ' '), '') FROM ({sql}) asked");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(db).await.expect("an answer")
}

const INVOICE: &str = "SELECT status, total, amount_paid, amount_remaining, amount_refunded FROM invoices";

async fn titles(app: &TestApp, customer: CustomerId) -> Vec<String> {
    let id = invoice_id(&pixel_forge(), september());
    inbox::timeline(&app.db, customer, &id).await.expect("a timeline").into_iter().map(|entry| entry.title).collect()
}

#[tokio::test]
async fn a_paid_month_is_mirrored_with_its_lines_and_its_history() {
    let (app, customer) = platform().await;
    deliver_all(&app, &month(Outcome::Paid)).await;
    assert_eq!(ask(&app.db, INVOICE).await, "paid|81715|81715|0|0");
    assert_eq!(
        ask(&app.db, "SELECT description, quantity, unit_amount, amount FROM invoice_line_items ORDER BY position").await,
        "Growth plan|1|49900|49900 Impressions over 10,000,000 (per 1,000 or part of it)|2346|8|18768"
    );
    assert_eq!(ask(&app.db, "SELECT amount, status, method FROM invoice_payments").await, "81715|paid|card");
    assert_eq!(titles(&app, customer).await, ["Draft created", "Invoice finalized", "Payment received"]);
    // Each change has its audit row and its domain event.
    assert_eq!(
        ask(&app.db, "SELECT count(*) FROM billing_audit WHERE event_type = 'webhook.applied' AND actor = 'stripe'").await,
        ask(&app.db, "SELECT count(*) FROM events").await
    );
    assert_eq!(
        ask(&app.db, &format!("SELECT count(*) FROM stripe_webhook_events WHERE status = 'applied' AND customer_id = '{customer}'")).await,
        "6"
    );
}

#[tokio::test]
async fn the_seven_events_of_the_checklist_are_applied() {
    let (app, _) = platform().await;
    let mut events = subscription_events(&pixel_forge(), &[september()]);
    events.push(apex_billing::demo::stripe_events::cancellation_event(&pixel_forge(), &september(), &september()));
    let refunded = month(Outcome::PartiallyRefunded);
    events.extend(["invoice.finalized", "invoice.payment_succeeded", "charge.refunded"].map(|event_type| of_type(&refunded, event_type)));
    events.push(of_type(&month(Outcome::FailedThenPaid), "invoice.payment_failed"));
    assert_eq!(events.iter().map(|event| event["type"].as_str()).collect::<std::collections::BTreeSet<_>>().len(), 7);
    for event in &events {
        assert_eq!(deliver(&app, event).await, json!({"received": true, "duplicate": false}));
    }
    assert_eq!(ask(&app.db, "SELECT DISTINCT status FROM stripe_webhook_events").await, "applied");
    assert_eq!(ask(&app.db, "SELECT status, plan_type, deleted FROM subscriptions").await, "canceled|growth|true");
}

#[tokio::test]
async fn the_body_is_stored_byte_for_byte() {
    let (app, _) = platform().await;
    let body = format!("  {}\n", serde_json::to_string_pretty(&of_type(&month(Outcome::Paid), "invoice.paid")).expect("JSON"));
    assert_eq!(app.post_webhook(&body).await.status, 200);
    let kept: String = sqlx::query_scalar("SELECT payload FROM stripe_webhook_events").fetch_one(&app.db).await.expect("a row");
    assert_eq!(kept, body);
}

#[tokio::test]
async fn a_duplicate_is_answered_and_changes_nothing() {
    let (app, _) = platform().await;
    let event = of_type(&month(Outcome::Paid), "invoice.paid");
    deliver(&app, &event).await;
    let version = ask(&app.db, "SELECT version FROM invoices").await;
    assert_eq!(deliver(&app, &event).await, json!({"received": true, "duplicate": true}));
    assert_eq!(ask(&app.db, "SELECT version FROM invoices").await, version);
    assert_eq!(ask(&app.db, "SELECT count(*) FROM stripe_webhook_events").await, "1");
    assert_eq!(ask(&app.db, "SELECT count(*) FROM events").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_deliveries_at_once_have_one_effect() {
    let (app, _) = platform().await;
    let event = of_type(&month(Outcome::Paid), "invoice.paid");
    let answers = futures::future::join_all((0..50).map(|_| deliver(&app, &event))).await;
    assert_eq!(answers.iter().filter(|answer| answer["duplicate"] == false).count(), 1);
    assert_eq!(ask(&app.db, "SELECT count(*) FROM invoices").await, "1");
    assert_eq!(ask(&app.db, "SELECT count(*) FROM events").await, "1");
}

#[tokio::test]
async fn invalid_signatures_are_refused_and_not_stored() {
    let (app, _) = platform_with(&[("STRIPE_WEBHOOK_SECRET", &format!("whsec_new,{WEBHOOK_SECRET}"))]).await;
    let body = of_type(&month(Outcome::Paid), "invoice.paid").to_string();
    let sign = |secret: &str, off: Duration| signature::sign(body.as_bytes(), &Secret(secret.into()), NOW + off);
    app.post_webhook_raw(&[], body.as_bytes()).await.problem(400, "signature_missing");
    let good = sign(WEBHOOK_SECRET, Duration::ZERO);
    for (header, code) in [
        (sign(WEBHOOK_SECRET, Duration::minutes(-6)), "signature_stale"),
        (sign(WEBHOOK_SECRET, Duration::minutes(6)), "signature_stale"),
        (sign("whsec_of_another", Duration::ZERO), "signature_invalid"),
        (good.replace("v1=", "v0="), "signature_invalid"),
        ("nonsense".into(), "signature_invalid"),
    ] {
        app.post_webhook_raw(&[("stripe-signature", &header)], body.as_bytes()).await.problem(400, code);
    }
    let tampered = body.replace("81715", "1");
    app.post_webhook_raw(&[("stripe-signature", &good)], tampered.as_bytes()).await.problem(400, "signature_invalid");
    assert_eq!(ask(&app.db, "SELECT count(*) FROM stripe_webhook_events").await, "0");
    // Both secrets of a rotation are valid.
    for secret in ["whsec_new", WEBHOOK_SECRET] {
        let answer = app.post_webhook_raw(&[("stripe-signature", &sign(secret, Duration::ZERO))], body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_signed_body_that_is_not_utf8_is_refused() {
    let (app, _) = platform().await;
    for body in [&b"{\"id\":\"\xff\"}"[..], b"{\"id\":\"evt_1\"}\0"] {
        let header = signature::sign(body, &Secret(WEBHOOK_SECRET.into()), NOW);
        app.post_webhook_raw(&[("stripe-signature", &header)], body).await.problem(400, "not_utf8");
    }
}

#[tokio::test]
async fn an_invalid_event_is_stored_and_blocks_nothing() {
    let (app, _) = platform().await;
    let events = month(Outcome::Paid);
    let mut without_total = of_type(&events, "invoice.finalized");
    without_total["id"] = json!("evt_poison_1");
    without_total["data"]["object"]["total"] = Value::Null;
    let mut with_nul = of_type(&events, "invoice.finalized");
    with_nul["id"] = json!("evt_poison_2");
    with_nul["data"]["object"]["description"] = json!("a\u{0}b");
    deliver(&app, &without_total).await;
    deliver(&app, &with_nul).await;
    for nonsense in ["no JSON at all", "{}", "[1]"] {
        assert_eq!(app.post_webhook(nonsense).await.json(), json!({"received": true, "duplicate": false}));
        assert_eq!(app.post_webhook(nonsense).await.json(), json!({"received": true, "duplicate": true}));
    }
    assert_eq!(
        ask(&app.db, "SELECT status, attempts, last_error FROM stripe_webhook_events WHERE stripe_event_id = 'evt_poison_1'").await,
        "failed|1|invoice.total is missing"
    );
    assert_eq!(
        ask(&app.db, "SELECT count(*) FROM stripe_webhook_events WHERE status = 'failed' AND stripe_event_id LIKE 'sha256:%'").await,
        "3"
    );
    assert_eq!(ask(&app.db, "SELECT status FROM stripe_webhook_events WHERE stripe_event_id = 'evt_poison_2'").await, "failed");
    deliver_all(&app, &events).await;
    assert_eq!(ask(&app.db, INVOICE).await, "paid|81715|81715|0|0");

    // Retried with growing delays, and finally left to staff.
    assert_eq!(apply_waiting(&app.platform, 100).await.expect("a run"), 0);
    for _ in 0..9 {
        app.advance(Duration::days(1));
        assert_eq!(apply_waiting(&app.platform, 100).await.expect("a run"), 5);
    }
    assert_eq!(ask(&app.db, "SELECT DISTINCT status, attempts FROM stripe_webhook_events WHERE status <> 'applied'").await, "dead|10");
    app.advance(Duration::days(9));
    assert_eq!(apply_waiting(&app.platform, 100).await.expect("a run"), 0);
}

#[tokio::test]
async fn events_of_unknown_customers_are_stored_not_shown() {
    let app = TestApp::start().await;
    deliver_all(&app, &month(Outcome::PartiallyRefunded)).await;
    assert_eq!(ask(&app.db, "SELECT count(*) FROM invoices").await, "0");
    assert_eq!(ask(&app.db, "SELECT count(*) FROM invoice_payments WHERE customer_id IS NOT NULL").await, "0");
    assert_eq!(
        ask(&app.db, "SELECT DISTINCT last_error FROM stripe_webhook_events WHERE status = 'ignored'").await,
        "cus_forge is not a customer of this platform"
    );
    let unknown =
        json!({"id": "evt_other", "object": "event", "type": "payout.paid", "created": 1_790_000_000, "data": {"object": {"id": "po_1"}}});
    deliver(&app, &unknown).await;
    assert_eq!(ask(&app.db, "SELECT status FROM stripe_webhook_events WHERE stripe_event_id = 'evt_other'").await, "ignored");
}

#[tokio::test]
async fn events_of_the_other_mode_are_ignored() {
    let (app, _) = platform_with(&[("STRIPE_SECRET_KEY", "sk_live_tests")]).await;
    deliver_all(&app, &month(Outcome::Paid)).await;
    assert_eq!(
        ask(&app.db, "SELECT DISTINCT status, last_error FROM stripe_webhook_events").await,
        "ignored|a test mode event, but live mode is mirrored"
    );
    assert_eq!(ask(&app.db, "SELECT count(*) FROM invoices").await, "0");
}

#[tokio::test]
async fn events_received_while_off_are_applied_later() {
    let (app, customer) = platform_with(&[("BILLING_ENABLED", "false")]).await;
    let events = month(Outcome::PartiallyRefunded);
    deliver_all(&app, &events).await;
    assert_eq!(ask(&app.db, "SELECT DISTINCT status FROM stripe_webhook_events").await, "received");
    assert_eq!(apply_waiting(&app.platform, 100).await.expect("a run"), 0);
    let app = app.restart_with(&[]).await;
    assert_eq!(apply_waiting(&app.platform, 3).await.expect("a run"), 3);
    assert_eq!(apply_waiting(&app.platform, 100).await.expect("a run"), events.len() as u64 - 3);
    assert_eq!(ask(&app.db, INVOICE).await, "paid|81715|81715|0|20428");
    assert_eq!(titles(&app, customer).await, ["Draft created", "Invoice finalized", "Payment received", "Refund of $204.28 issued"]);
}

#[tokio::test]
async fn a_partial_refund_leaves_the_invoice_paid() {
    let (app, customer) = platform().await;
    let events = month(Outcome::PartiallyRefunded);
    deliver_all(&app, &events).await;
    assert_eq!(ask(&app.db, INVOICE).await, "paid|81715|81715|0|20428");
    assert_eq!(ask(&app.db, "SELECT amount, status, reason FROM refunds").await, "20428|succeeded|requested_by_customer");
    assert_eq!(titles(&app, customer).await, ["Draft created", "Invoice finalized", "Payment received", "Refund of $204.28 issued"]);
    // A second part adds up, on the charge and on the invoice.
    let mut more = of_type(&events, "charge.refunded");
    more["id"] = json!("evt_more");
    more["data"]["object"]["amount_refunded"] = json!(30_000);
    deliver(&app, &more).await;
    assert_eq!(ask(&app.db, INVOICE).await, "paid|81715|81715|0|30000");
    // Other customers don't see this invoice's timeline.
    let other = app.add_customer("other").await;
    assert!(titles(&app, other).await.is_empty());
}

#[tokio::test]
async fn a_payment_outside_stripe_is_marked() {
    let (app, customer) = platform().await;
    deliver_all(&app, &month(Outcome::PaidOutOfBand)).await;
    assert_eq!(ask(&app.db, "SELECT status, amount_paid, paid_out_of_band FROM invoices").await, "paid|81715|true");
    assert_eq!(ask(&app.db, "SELECT amount, method, status FROM invoice_payments").await, "81715|out_of_band|paid");
    assert_eq!(titles(&app, customer).await, ["Draft created", "Invoice finalized", "Payment received"]);
}

#[tokio::test]
async fn every_way_a_month_can_end_is_mirrored() {
    for (outcome, expected, last) in [
        (Outcome::Draft, "draft|81715|0|81715|0", "Draft created"),
        (Outcome::Open, "open|81715|0|81715|0", "Invoice sent"),
        (Outcome::Overdue, "open|81715|0|81715|0", "Payment overdue"),
        (Outcome::FailedThenPaid, "paid|81715|81715|0|0", "Payment received"),
        (Outcome::Void, "void|81715|0|81715|0", "Invoice voided"),
        (Outcome::Uncollectible, "uncollectible|81715|0|81715|0", "Marked as uncollectible"),
    ] {
        let (app, customer) = platform().await;
        deliver_all(&app, &month(outcome)).await;
        assert_eq!(ask(&app.db, INVOICE).await, expected, "{outcome:?}");
        assert_eq!(titles(&app, customer).await.last().map(String::as_str), Some(last), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_deleted_draft_stays_deleted() {
    let (app, customer) = platform().await;
    let draft = of_type(&month(Outcome::Draft), "invoice.created");
    let mut deleted = draft.clone();
    deleted["id"] = json!("evt_deleted");
    deleted["type"] = json!("invoice.deleted");
    deleted["data"]["object"]["status"] = json!("deleted");
    deliver_all(&app, &[deleted, draft]).await;
    assert_eq!(ask(&app.db, "SELECT status, deleted FROM invoices").await, "draft|true");
    assert_eq!(titles(&app, customer).await, ["Draft created", "Draft deleted"]);
}

#[tokio::test]
async fn missing_lines_are_reported() {
    let (app, _) = platform().await;
    let mut event = of_type(&month(Outcome::Paid), "invoice.paid");
    event["data"]["object"]["lines"]["has_more"] = json!(true);
    deliver(&app, &event).await;
    assert_eq!(ask(&app.db, "SELECT lines_complete FROM invoices").await, "false");
}

#[tokio::test]
async fn stripes_alert_is_stored_and_published_once() {
    let (app, customer) = platform().await;
    let event = |id: &str, value: i64| {
        json!({"id": id, "object": "event", "type": "billing.alert.triggered", "created": 1_790_000_000, "livemode": false, "data": {"object": {
            "object": "billing.alert_triggered", "customer": "cus_forge", "value": value, "created": 1_790_000_000, "livemode": false,
            "alert": {"id": "alrt_1", "object": "billing.alert", "title": "Calls", "usage_threshold": {"gte": 100, "meter": {"event_name": "api_calls"}}}}}})
    };
    deliver_all(&app, &[event("evt_later", 130), event("evt_sooner", 110), event("evt_later", 130)]).await;
    assert_eq!(
        ask(&app.db, "SELECT customer_id, stripe_alert_id, title, meter_event_name, threshold, value FROM stripe_alerts").await,
        format!("{customer}|alrt_1|Calls|api_calls|100|130")
    );
    assert_eq!(ask(&app.db, "SELECT event_type, data ->> 'stripe_event_id' FROM events").await, "billing_alert.triggered|evt_later");
}

#[tokio::test]
async fn old_and_new_api_versions_give_the_same_rows() {
    let rows = async |events: Vec<Value>| {
        let (app, customer) = platform().await;
        deliver_all(&app, &events).await;
        let mut rows = Vec::new();
        for sql in [
            "SELECT to_jsonb(invoices) - '{id,customer_id,version,updated_at}'::text[] FROM invoices",
            "SELECT to_jsonb(invoice_line_items) - 'invoice_id' FROM invoice_line_items ORDER BY position",
            "SELECT to_jsonb(subscriptions) - '{id,customer_id,updated_at}'::text[] FROM subscriptions",
            "SELECT stripe_item_id, price_id, lookup_key, quantity FROM subscription_items",
            "SELECT stripe_invoice_id, amount, status, method, at FROM invoice_payments",
            "SELECT stripe_charge_id, amount, amount_refunded, status FROM charges",
        ] {
            rows.push(ask(&app.db, sql).await);
        }
        (rows, titles(&app, customer).await)
    };
    for outcome in Outcome::ALL {
        let mut new = subscription_events(&pixel_forge(), &[september()]);
        new.extend(month(outcome));
        let old: Vec<Value> = new.iter().filter_map(in_old_shape).collect();
        assert!(old.iter().all(|event| event["api_version"] == "2024-06-20"));
        assert_eq!(rows(old).await, rows(new).await, "{outcome:?}");
    }
}
