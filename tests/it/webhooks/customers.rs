//! Customers: Stripe's data of known ones, and how others become known.

use super::{
    INVOICE, ask,
    convergence::{forget, history, mirrored, numbers},
    deliver, deliver_all, month, pixel_forge, platform, september,
};
use crate::support::TestApp;
use apex_billing::{
    demo::stripe_events::{DemoCustomer, Outcome, customer_event},
    service::webhooks::apply_waiting,
};
use serde_json::{Value, json};
use time::Duration;

const CUSTOMER: &str = "SELECT name, email, currency, balance, preferred_locale, address->>'city' AS city, deleted FROM customers";

/// An event of Pixel Forge, this many days into September, with this name and metadata.
fn event_of(event_type: &str, days: i64, name: &str, apex_customer: Option<&str>) -> Value {
    let customer = DemoCustomer { name: name.into(), ..pixel_forge() };
    let mut event = customer_event(&customer, event_type, september().start() + Duration::days(days));
    event["data"]["object"]["balance"] = json!(-500);
    event["data"]["object"]["preferred_locales"] = json!(["de-DE", "en"]);
    if let Some(claim) = apex_customer {
        event["data"]["object"]["metadata"]["apex_customer"] = json!(claim);
    }
    event
}

async fn apply_all(app: &TestApp) -> u64 {
    apply_waiting(&app.platform, 1000).await.expect("a run")
}

#[tokio::test]
async fn customers_follow_stripe_and_deleted_is_final() {
    let (app, customer) = platform().await;
    deliver_all(&app, &[event_of("customer.updated", 2, "Pixel Forge SE", None), event_of("customer.created", 0, "Pixel Forge", None)])
        .await;
    assert_eq!(ask(&app.db, CUSTOMER).await, "Pixel Forge SE|billing@pixelforge.test|usd|-500|de-DE|Berlin|false");
    // Adding it again doesn't override Stripe.
    assert_eq!(app.add_customer("forge").await, customer);
    assert_eq!(ask(&app.db, "SELECT name FROM customers").await, "Pixel Forge SE");
    deliver_all(&app, &[event_of("customer.deleted", 3, "Pixel Forge SE", None), event_of("customer.updated", 9, "Ghost", None)]).await;
    assert_eq!(ask(&app.db, CUSTOMER).await, "Pixel Forge SE|billing@pixelforge.test|usd|-500|de-DE|Berlin|true");
    assert_eq!(ask(&app.db, "SELECT DISTINCT status FROM stripe_webhook_events").await, "applied");
}

#[tokio::test]
async fn values_missing_in_stripe_stay_as_entered() {
    let (app, _) = platform().await;
    let mut nameless = event_of("customer.updated", 1, "", None);
    nameless["data"]["object"]["email"] = Value::Null;
    nameless["data"]["object"]["currency"] = Value::Null;
    deliver_all(&app, &[event_of("customer.created", 0, "Pixel Forge SE", None), nameless]).await;
    assert_eq!(ask(&app.db, "SELECT name, email, currency FROM customers").await, "forge|billing@forge.example|usd");
}

#[tokio::test]
async fn customers_become_known_only_by_metadata() {
    let app = TestApp::start().await;
    let id: uuid::Uuid = sqlx::query_scalar("INSERT INTO customers (name) VALUES ('Signed up here') RETURNING id")
        .fetch_one(&app.db)
        .await
        .expect("a customer without a Stripe id");
    let unknown = "cus_forge is not a customer of this platform";
    for (days, claim, reason) in [
        (0, None, unknown.to_owned()),
        (1, Some("yes".to_owned()), format!("{unknown}: its metadata.apex_customer is neither `new` nor a customer's id")),
        (2, Some(uuid::Uuid::nil().to_string()), format!("{unknown}: its metadata.apex_customer names no customer that lacks a Stripe id")),
    ] {
        let event = event_of("customer.updated", days, "Pixel Forge", claim.as_deref());
        deliver(&app, &event).await;
        let sql = "SELECT status, last_error, awaits_customer FROM stripe_webhook_events ORDER BY id DESC LIMIT 1";
        assert_eq!(ask(&app.db, sql).await, format!("ignored|{reason}|cus_forge"));
    }
    assert_eq!(ask(&app.db, "SELECT name, stripe_customer_id IS NULL FROM customers").await, "Signed up here|true");

    deliver(&app, &event_of("customer.updated", 3, "Pixel Forge", Some(&id.to_string()))).await;
    assert_eq!(apply_all(&app).await, 3);
    assert_eq!(
        ask(&app.db, "SELECT id, stripe_customer_id, name, added_name FROM customers").await,
        format!("{id}|cus_forge|Pixel Forge|Signed up here")
    );
    assert_eq!(ask(&app.db, "SELECT DISTINCT status, awaits_customer IS NULL FROM stripe_webhook_events").await, "applied|true");
}

#[tokio::test]
async fn earlier_events_of_an_added_customer_are_applied() {
    let app = TestApp::start().await;
    let events = month(Outcome::PartiallyRefunded);
    deliver_all(&app, &events).await;
    app.add_customer("other").await;
    assert_eq!(apply_all(&app).await, 0);
    app.add_customer("forge").await;
    assert!(apply_all(&app).await > 0);
    assert_eq!(ask(&app.db, INVOICE).await, "paid|81715|81715|0|20428");
    assert_eq!(ask(&app.db, "SELECT amount, status, method FROM invoice_payments WHERE customer_id IS NOT NULL").await, "81715|paid|card");
    assert_eq!(ask(&app.db, "SELECT DISTINCT status FROM stripe_webhook_events").await, "applied");
    assert_eq!(apply_all(&app).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_concurrent_with_adding_are_not_lost() {
    let app = TestApp::start().await;
    let events = month(Outcome::Paid);
    tokio::join!(futures::future::join_all(events.iter().map(|event| deliver(&app, event))), app.add_customer("forge"));
    apply_all(&app).await;
    assert_eq!(ask(&app.db, INVOICE).await, "paid|81715|81715|0|0");
    assert_eq!(ask(&app.db, "SELECT DISTINCT status FROM stripe_webhook_events").await, "applied");
}

#[tokio::test]
async fn it_does_not_matter_when_the_customer_becomes_known() {
    let app = TestApp::start().await;
    let mut history = history();
    history.push(event_of("customer.updated", 5, "Pixel Forge", Some("new")));
    history.push(event_of("customer.deleted", 90, "Pixel Forge", None));
    let mut expected = None;
    for seed in 0..12 {
        forget(&app).await;
        let mut next = numbers(seed + 77);
        let mut deliveries = history.clone();
        (1..deliveries.len()).rev().filter(|_| seed > 0).for_each(|i| deliveries.swap(i, next(i + 1)));
        deliver_all(&app, &deliveries).await;
        apply_all(&app).await;
        let mirror = mirrored(&app).await;
        assert_eq!(&mirror, expected.get_or_insert_with(|| mirror.clone()), "seed {seed}");
    }
    let expected = expected.expect("twelve runs").join("\n");
    assert!(!expected.contains("ignored") && expected.contains("81715"), "{expected}");
}
