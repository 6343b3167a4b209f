//! Caps: from where on events are refused, and what their sender learns.

use super::{event, subscribed};
use crate::support::TestApp;
use apex_billing::{
    domain::{
        identity::{CustomerId, Role},
        metric::Metric,
    },
    service::alerts,
};
use axum::http::Method;
use serde_json::{Value, json};
use time::Duration;

async fn set_cap(app: &TestApp, customer: CustomerId, cap: Value) {
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let body = json!({"metrics": {"impressions": {"cap": cap}}}).to_string().into_bytes();
    let answer = person.send(Method::PUT, "/api/v1/billing/alerts", Some("application/json"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// What is known of a cap is believed for five seconds.
fn a_moment_later(app: &TestApp) {
    app.advance(Duration::seconds(5));
}

#[tokio::test]
async fn a_cap_refuses_its_metric_and_nothing_else() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    let machine = app.machine(customer).await;
    set_cap(&app, customer, json!({"quantity": 100})).await;
    let post = async |events: Value| machine.post_json("/api/v1/usage/events", &events).await;
    // A batch that begins below the cap is taken whole.
    assert_eq!(post(json!([event(&app, "a", "impressions", 99)])).await.json()["accepted"], 1);
    assert_eq!(post(json!([event(&app, "b", "impressions", 50)])).await.json()["accepted"], 1);
    a_moment_later(&app);
    assert_eq!(alerts::cap_reached(&app.platform, customer, Metric::Impressions).await.unwrap(), Some(100));
    assert_eq!(alerts::cap_reached(&app.platform, customer, Metric::ApiCalls).await.unwrap(), None);

    let refused = post(json!([event(&app, "c", "impressions", 1), event(&app, "d", "impressions", 1)])).await;
    let problem = refused.problem(402, "usage_cap_reached");
    assert!(problem["detail"].as_str().unwrap().contains("cap of 100"), "{problem}");
    post(event(&app, "c", "impressions", 1)).await.problem(402, "usage_cap_reached");

    let mixed = json!([event(&app, "e", "api_calls", 7), event(&app, "c", "impressions", 1), event(&app, "x", "clicks", 1)]);
    let answer = post(mixed).await;
    assert_eq!((answer.status, &answer.json()["accepted"]), (202, &json!(1)));
    let rejected: Vec<(u64, String)> = answer.json()["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["index"].as_u64().unwrap(), one["code"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(rejected, [(1, "usage_cap_reached".to_owned()), (2, "unknown_metric".to_owned())]);

    // What was counted before is a duplicate, and no error, however often its sender asks.
    let again = post(json!([event(&app, "a", "impressions", 99)])).await;
    assert_eq!((again.status, again.json()), (202, json!({"accepted": 0, "duplicates": 1, "rejected": []})));
    // Of another period the cap says nothing.
    let mut late = event(&app, "late", "impressions", 5);
    late["timestamp"] = "2026-10-31T23:59:59Z".into();
    assert_eq!(post(late).await.json()["accepted"], 1);
    let usage = machine.get("/api/v1/billing/usage/current").await.json();
    assert_eq!((&usage["current_period"]["impressions"], &usage["current_period"]["api_calls"]), (&json!(149), &json!(7)));
    // Another customer has caps of its own, or none.
    let other = subscribed(&app, "orbit").await;
    assert_eq!(app.machine(other).await.post_json("/api/v1/usage/events", &event(&app, "c", "impressions", 500)).await.status, 202);
}

#[tokio::test]
async fn a_cap_ends_with_its_period_or_when_it_is_lifted() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    let machine = app.machine(customer).await;
    set_cap(&app, customer, json!({"percent": 100})).await;
    let post =
        async |id: &str, quantity: u64| machine.post_json("/api/v1/usage/events", &event(&app, id, "impressions", quantity)).await.status;
    assert_eq!(post("a", 1_000_000).await, 202);
    a_moment_later(&app);
    assert_eq!(post("b", 1).await, 402);
    // A change is in force at once where it was made.
    set_cap(&app, customer, json!({"percent": 120})).await;
    assert_eq!(post("c", 200_000).await, 202);
    a_moment_later(&app);
    assert_eq!(post("d", 1).await, 402);
    set_cap(&app, customer, Value::Null).await;
    assert_eq!(post("e", 1).await, 202);
    set_cap(&app, customer, json!({"percent": 100})).await;
    assert_eq!(post("f", 1).await, 402);
    app.advance(Duration::days(9));
    assert_eq!(post("g", 1).await, 202);
}

#[tokio::test]
async fn a_cap_that_is_reached_is_told_once() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    set_cap(&app, customer, json!({"quantity": 100})).await;
    super::use_impressions(&app, customer, "a", 150).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 0);
    assert_eq!(super::one(&app, super::FIRED).await, "impressions cap 100");
}

#[tokio::test]
async fn a_percentage_of_nothing_caps_nothing() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    set_cap(&app, customer, json!({"percent": 1})).await;
    super::use_impressions(&app, customer, "a", 5_000_000).await;
    a_moment_later(&app);
    super::use_impressions(&app, customer, "b", 1).await;
}
