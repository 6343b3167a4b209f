//! Events of other accounts or without a customer. They are stored and ignored with a reason, and
//! block no others.

use super::{ask, deliver, deliver_all, month, platform, platform_with};
use apex_billing::{demo::stripe_events::Outcome, service::webhooks::apply_waiting};
use serde_json::{Value, json};

const T: i64 = 1_790_000_000;

fn event(id: &str, event_type: &str, object: Value) -> Value {
    json!({"id": id, "object": "event", "created": T, "livemode": false, "type": event_type, "data": {"object": object}})
}

fn arrival(id: &str, more: Value) -> Value {
    let object = json!({"id": format!("cus_{id}"), "object": "customer", "name": "Arrival", "metadata": {"apex_customer": "new"}});
    let mut event = event(&format!("evt_{id}"), "customer.created", object);
    for (key, value) in more.as_object().expect("fields") {
        event[key] = value.clone();
    }
    event
}

const REASONS: &str = "SELECT DISTINCT status, last_error FROM stripe_webhook_events";
const CUSTOMERS: &str = "SELECT count(*) FROM customers";

#[tokio::test]
async fn events_of_other_accounts_are_ignored_and_make_no_customer() {
    let (app, _) = platform().await;
    let events = [
        arrival("connect", json!({"account": "acct_1Other"})),
        arrival("organization", json!({"context": "org_1/acct_1Other", "account": null})),
    ];
    deliver_all(&app, &events).await;
    let reason = "ignored|an event of the account acct_1Other, which is not mirrored (STRIPE_ACCOUNT)";
    assert_eq!(ask(&app.db, REASONS).await, reason);
    assert_eq!(ask(&app.db, CUSTOMERS).await, "1");
    // Nor after a retry.
    sqlx::raw_sql("UPDATE stripe_webhook_events SET status = 'received'").execute(&app.db).await.expect("events that wait");
    assert_eq!(apply_waiting(&app.platform, 10).await.expect("a run"), 2);
    assert_eq!(ask(&app.db, REASONS).await, reason);
    assert_eq!(ask(&app.db, CUSTOMERS).await, "1");
    // An unparsable account is not taken for ours.
    deliver(&app, &arrival("unreadable", json!({"account": 7}))).await;
    assert_eq!(ask(&app.db, CUSTOMERS).await, "1");
    assert_eq!(
        ask(&app.db, "SELECT last_error FROM stripe_webhook_events WHERE stripe_event_id = 'evt_unreadable'").await,
        "an event of another account, whose id can't be parsed"
    );
}

#[tokio::test]
async fn events_of_a_known_customer_in_another_account_change_nothing() {
    let (app, _) = platform().await;
    let mut events = month(Outcome::Paid);
    for event in &mut events {
        event["account"] = json!("acct_1Other");
    }
    deliver_all(&app, &events).await;
    assert_eq!(ask(&app.db, "SELECT DISTINCT status FROM stripe_webhook_events").await, "ignored");
    assert_eq!(ask(&app.db, "SELECT count(*) FROM invoices").await, "0");
}

#[tokio::test]
async fn the_configured_account_is_mirrored() {
    let (app, _) = platform_with(&[("STRIPE_ACCOUNT", "acct_1Ours")]).await;
    let events = [
        arrival("ours", json!({"account": "acct_1Ours"})),
        arrival("way", json!({"context": "org_1/acct_1Ours"})),
        arrival("unnamed", json!({})),
        arrival("other", json!({"account": "acct_1Other"})),
    ];
    deliver_all(&app, &events).await;
    assert_eq!(ask(&app.db, CUSTOMERS).await, "4");
    assert_eq!(ask(&app.db, "SELECT stripe_event_id FROM stripe_webhook_events WHERE status <> 'applied'").await, "evt_other");
}

#[tokio::test]
async fn objects_without_a_customer_are_ignored() {
    let (app, _) = platform().await;
    let invoice = json!({"id": "in_1", "object": "invoice", "status": "open", "currency": "usd", "created": T, "subtotal": 1, "total": 1, "amount_due": 1});
    let subscription =
        json!({"id": "sub_1", "object": "subscription", "status": "active", "currency": "usd", "created": T, "items": {"data": []}});
    let charge = json!({"id": "ch_1", "object": "charge", "currency": "usd", "amount": 1, "created": T, "status": "succeeded"});
    let credit_note = json!({"id": "cn_1", "object": "credit_note", "invoice": "in_1", "status": "issued", "type": "pre_payment", "currency": "usd", "amount": 1, "created": T});
    let alert = json!({"object": "billing.alert_triggered", "value": "1", "created": T, "alert": {"id": "alrt_1"}});
    let kinds = [
        ("invoice.paid", invoice),
        ("customer.subscription.updated", subscription),
        ("charge.succeeded", charge),
        ("credit_note.created", credit_note),
        ("billing.alert.triggered", alert),
    ];
    let mut count = 0;
    for (event_type, object) in &kinds {
        for (customer, customer_account) in [(json!(null), json!("acct_1")), (json!(null), json!(null)), (json!(""), json!(null))] {
            let mut object = object.clone();
            (object["customer"], object["customer_account"]) = (customer, customer_account);
            count += 1;
            deliver(&app, &event(&format!("evt_{count}"), event_type, object)).await;
        }
        deliver(&app, &event(&format!("evt_missing_{event_type}"), event_type, object.clone())).await;
    }
    // Other events of the batch are applied.
    deliver_all(&app, &month(Outcome::Paid)).await;
    assert_eq!(
        ask(&app.db, "SELECT DISTINCT status, last_error FROM stripe_webhook_events WHERE status <> 'applied' ORDER BY 2").await,
        "ignored|it belongs to an account (customer_account), not to a customer ignored|it has no customer"
    );
    assert_eq!(ask(&app.db, "SELECT count(*) FROM stripe_webhook_events WHERE status = 'ignored'").await, "20");
    assert_eq!(ask(&app.db, "SELECT status FROM invoices").await, "paid");
}

#[tokio::test]
async fn alerts_with_decimal_text_parse() {
    let (app, _) = platform().await;
    let alert = |id: &str, value: Value, gte: Value| {
        event(
            id,
            "billing.alert.triggered",
            json!({"object": "billing.alert_triggered", "customer": "cus_forge", "value": value, "created": T,
            "alert": {"id": format!("alrt_{id}"), "object": "billing.alert", "usage_threshold": {"gte": gte, "meter": {"event_name": "api_calls"}}}}),
        )
    };
    deliver_all(
        &app,
        &[alert("1", json!("150"), json!(100)), alert("2", json!("150.75"), json!("100.5")), alert("3", json!(150), json!("100"))],
    )
    .await;
    assert_eq!(ask(&app.db, "SELECT value, threshold FROM stripe_alerts ORDER BY id").await, "150|100 150|100 150|100");
    assert_eq!(ask(&app.db, "SELECT DISTINCT status FROM stripe_webhook_events").await, "applied");
}

#[tokio::test]
async fn amounts_as_decimal_text_parse() {
    let (app, _) = platform().await;
    let object = json!({"id": "in_1", "object": "invoice", "customer": "cus_forge", "status": "open", "currency": "usd", "created": T, "subtotal": "10000",
        "total": "10000.0", "amount_due": 10_000.0, "lines": {"data": [{"id": "il_1", "amount": "10000", "quantity": "2", "currency": "usd"}]}});
    deliver(&app, &event("evt_1", "invoice.finalized", object.clone())).await;
    assert_eq!(ask(&app.db, "SELECT subtotal, total, amount_due FROM invoices").await, "10000|10000|10000");
    // Half a cent is not a valid amount: stored with the reason.
    let mut half = event("evt_2", "invoice.updated", object);
    half["data"]["object"]["total"] = json!("10000.5");
    deliver(&app, &half).await;
    assert_eq!(
        ask(&app.db, "SELECT status, last_error FROM stripe_webhook_events WHERE stripe_event_id = 'evt_2'").await,
        "failed|invoice.total is another string, but should be a whole number"
    );
}
