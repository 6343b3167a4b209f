//! Caps: refused events, and their senders' responses.

use super::{event, subscribed};
use crate::{
    support::TestApp,
    usage_store::{Metered, holds_for_both_stores},
};
use apex_billing::{
    domain::{identity::CustomerId, metric::Metric, role::Role},
    service::alerts,
};
use axum::http::Method;
use serde_json::{Value, json};
use time::Duration;

async fn set_cap(app: &TestApp, customer: CustomerId, cap: Value) {
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let body = json!({"metrics": {"impressions": {"cap": cap}}, "confirm": true}).to_string().into_bytes();
    let answer = person.send(Method::PUT, "/api/v1/billing/alerts", Some("application/json"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Caps and usage are cached for five seconds.
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
    // A batch that starts below the cap is accepted completely.
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

    // A counted event is a duplicate and not an error, however often it is retried.
    let again = post(json!([event(&app, "a", "impressions", 99)])).await;
    assert_eq!((again.status, again.json()), (202, json!({"accepted": 0, "duplicates": 1, "rejected": []})));
    // The cap does not apply to another period.
    let mut late = event(&app, "late", "impressions", 5);
    late["timestamp"] = "2026-10-31T23:59:59Z".into();
    assert_eq!(post(late).await.json()["accepted"], 1);
    let usage = machine.get("/api/v1/billing/usage/current").await.json();
    assert_eq!((&usage["current_period"]["impressions"], &usage["current_period"]["api_calls"]), (&json!(149), &json!(7)));
    // Another customer has its own caps, or none.
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
    // A change takes effect at once on the server that made it.
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
async fn a_reached_cap_is_notified_once() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    set_cap(&app, customer, json!({"quantity": 100})).await;
    super::use_impressions(&app, customer, "a", 150).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 0);
    assert_eq!(super::one(&app, super::FIRED).await, "impressions cap 100");
}

#[tokio::test]
async fn a_percentage_cap_needs_an_included_quantity() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    set_cap(&app, customer, json!({"percent": 1})).await;
    super::use_impressions(&app, customer, "a", 5_000_000).await;
    a_moment_later(&app);
    super::use_impressions(&app, customer, "b", 1).await;
}

/// The sums in the store, however it counts.
async fn settled(app: &TestApp) {
    app.platform.usage.settle().await.unwrap();
}

fn correction(app: &TestApp, id: &str, corrects: &str, quantity: u64) -> Value {
    let mut event = event(app, id, "impressions", quantity);
    event["corrects"] = corrects.into();
    event
}

/// Counted excess usage of a customer with a cap of 1,000, and the events' time.
async fn runaway(app: &TestApp) -> (CustomerId, crate::support::client::Client) {
    let customer = subscribed(app, "lumen").await;
    let machine = app.machine(customer).await;
    set_cap(app, customer, json!({"quantity": 1000})).await;
    assert_eq!(machine.post_json("/api/v1/usage/events", &event(app, "runaway", "impressions", 50_000)).await.json()["accepted"], 1);
    settled(app).await;
    (customer, machine)
}

async fn a_correction_comes_before_the_events_of_its_request(metered: Metered) {
    let app = &metered.app;
    let (customer, machine) = runaway(app).await;
    // Corrections have their event's timestamp, so the clock stands still until then.
    let fix = correction(app, "fix", "runaway", 10);
    a_moment_later(app);
    let post = async |body: Value| machine.post_json("/api/v1/usage/events", &body).await;
    post(json!([event(app, "a", "impressions", 1)])).await.problem(402, "usage_cap_reached");
    let answer = post(json!([event(app, "a", "impressions", 1), fix])).await;
    assert_eq!((answer.status, answer.json()), (202, json!({"accepted": 2, "duplicates": 0, "rejected": []})));
    // The next request knows the correction before the store has counted it.
    assert_eq!(post(event(app, "b", "impressions", 1)).await.json()["accepted"], 1);
    settled(app).await;
    a_moment_later(app);
    assert_eq!(alerts::cap_reached(&app.platform, customer, Metric::Impressions).await.unwrap(), None);
    let usage = machine.get("/api/v1/billing/usage/current").await.json();
    assert_eq!(usage["current_period"]["impressions"], 12);
}

async fn beside_a_refused_event_nothing_vanishes(metered: Metered) {
    let app = &metered.app;
    let (_, machine) = runaway(app).await;
    let (still, unknown) = (correction(app, "still", "runaway", 1000), correction(app, "unknown", "nothing", 1));
    let of_refused = correction(app, "of_refused", "a", 1);
    a_moment_later(app);
    let post = async |body: Value| machine.post_json("/api/v1/usage/events", &body).await;
    let codes = |receipt: &Value| -> Vec<(u64, String)> {
        let rejected = receipt["rejected"].as_array().unwrap().iter();
        rejected.map(|one| (one["index"].as_u64().unwrap(), one["code"].as_str().unwrap().to_owned())).collect()
    };
    let (capped, missing) = ("usage_cap_reached".to_owned(), "corrected_event_unknown".to_owned());
    // Corrections that leave usage at the cap, of a refused event, of an unknown event, and of one
    // event twice.
    let answer = post(json!([of_refused, event(app, "a", "impressions", 1), still, unknown, event(app, "a", "impressions", 1)])).await;
    assert_eq!((answer.status, &answer.json()["accepted"]), (202, &json!(1)), "{}", answer.text());
    assert_eq!(codes(&answer.json()), [(0, missing.clone()), (1, capped.clone()), (3, missing.clone()), (4, capped.clone())]);
    // Repeating the correction is a duplicate, and not hidden by a 402.
    let answer = post(json!([still, event(app, "a", "impressions", 1)])).await;
    assert_eq!((answer.status, &answer.json()["duplicates"]), (202, &json!(1)), "{}", answer.text());
    assert_eq!(codes(&answer.json()), [(1, capped.clone())]);
    let answer = post(json!([unknown, event(app, "a", "impressions", 1)])).await;
    assert_eq!((answer.status, codes(&answer.json())), (202, vec![(0, missing), (1, capped)]));
    post(json!([event(app, "a", "impressions", 1), event(app, "b", "impressions", 1)])).await.problem(402, "usage_cap_reached");
}

async fn a_correction_of_the_same_request_waits_for_its_event(metered: Metered) {
    let app = &metered.app;
    let customer = subscribed(app, "lumen").await;
    let machine = app.machine(customer).await;
    let body = json!([
        correction(app, "c1", "a", 70),
        event(app, "a", "impressions", 5),
        correction(app, "c2", "a", 7),
        event(app, "b", "impressions", 1)
    ]);
    let answer = machine.post_json("/api/v1/usage/events", &body).await;
    assert_eq!(answer.json(), json!({"accepted": 4, "duplicates": 0, "rejected": []}));
    let answer = machine.post_json("/api/v1/usage/events", &body).await;
    assert_eq!(answer.json(), json!({"accepted": 0, "duplicates": 4, "rejected": []}));
    settled(app).await;
    let usage = machine.get("/api/v1/billing/usage/current").await.json();
    assert_eq!(usage["current_period"]["impressions"], 8);
}

async fn corrections_and_events_at_once_all_have_an_answer(metered: Metered) {
    let app = &metered.app;
    let (_, machine) = runaway(app).await;
    let fixes: Vec<Value> = (0..12u64).map(|n| correction(app, &format!("fix{n}"), "runaway", 100 + n)).collect();
    a_moment_later(app);
    let requests = fixes.iter().enumerate().map(|(n, fix)| {
        let (machine, body) = (machine.clone(), json!([event(app, &format!("e{n}"), "impressions", 1), fix]));
        async move {
            let answer = machine.post_json("/api/v1/usage/events", &body).await;
            assert_eq!(answer.status, 202, "{}", answer.text());
            let receipt = answer.json();
            let rejected = receipt["rejected"].as_array().unwrap().len() as u64;
            assert_eq!(receipt["accepted"].as_u64().unwrap() + receipt["duplicates"].as_u64().unwrap() + rejected, 2, "{receipt}");
            receipt["accepted"].as_u64().unwrap() - 1
        }
    });
    let counted: u64 = futures::future::join_all(requests).await.into_iter().sum();
    settled(app).await;
    let usage = machine.get("/api/v1/billing/usage/current").await.json()["current_period"]["impressions"].as_u64().unwrap();
    assert!((100..112).contains(&(usage - counted)), "{usage} with {counted} events");
}

holds_for_both_stores! {
    a_correction_comes_before_the_events_of_its_request
    beside_a_refused_event_nothing_vanishes
    a_correction_of_the_same_request_waits_for_its_event
    corrections_and_events_at_once_all_have_an_answer
}

#[tokio::test]
async fn a_cap_below_usage_needs_confirmation() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    super::use_impressions(&app, customer, "a", 12_560_000).await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let put = async |body: Value| {
        person.send(Method::PUT, "/api/v1/billing/alerts", Some("application/json"), body.to_string().into_bytes()).await
    };
    let capped = |cap: Value| json!({"metrics": {"impressions": {"cap": cap}}});
    let asked = put(capped(json!({"quantity": 5_000_000}))).await.problem(409, "cap_confirmation_required");
    assert_eq!(
        asked["detail"],
        "This refuses impressions from now on: 12,560,000 are used, the cap is 5,000,000. Nothing was saved; send it again with `confirm` set to true to save it."
    );
    put(capped(json!({"percent": 1000}))).await.problem(409, "cap_confirmation_required");
    put(json!({"confirm": "yes"})).await.problem(422, "invalid_parameter");
    assert_eq!(super::one(&app, "SELECT count(*)::text FROM usage_alert_settings").await, "0");
    super::use_impressions(&app, customer, "b", 1).await;
    // Above current usage no confirmation is needed, and confirmed settings don't contain the
    // confirmation.
    assert_eq!(put(capped(json!({"quantity": 20_000_000}))).await.status, 200);
    let mut confirmed = capped(json!({"quantity": 5_000_000}));
    confirmed["confirm"] = true.into();
    let saved = put(confirmed).await;
    assert_eq!((saved.status, saved.json().get("confirm")), (200, None), "{}", saved.text());
    // It already refuses events: other changes need no confirmation.
    assert_eq!(put(capped(json!({"quantity": 6_000_000}))).await.status, 200);
    assert_eq!(put(person.get("/api/v1/billing/alerts").await.json()).await.status, 200);
    let machine = app.machine(customer).await;
    machine.post_json("/api/v1/usage/events", &event(&app, "c", "impressions", 1)).await.problem(402, "usage_cap_reached");
}

#[tokio::test]
async fn a_cap_that_refuses_again_is_reported_again() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    let machine = app.machine(customer).await;
    set_cap(&app, customer, json!({"quantity": 100})).await;
    super::use_impressions(&app, customer, "a", 150).await;
    let fix = correction(&app, "fix", "a", 20);
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    a_moment_later(&app);
    let refused = async |id: &str| machine.post_json("/api/v1/usage/events", &event(&app, id, "impressions", 3)).await;
    refused("b").await.problem(402, "usage_cap_reached");
    refused("c").await.problem(402, "usage_cap_reached");
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let refusals = async || person.get("/api/v1/billing/alerts/standing").await.json()["refusals"].clone();
    let first = refusals().await;
    assert_eq!((&first[0]["cap"], &first[0]["events"], &first[0]["quantity"]), (&json!(100), &json!(2), &json!(6)), "{first}");
    // A correction takes usage below the cap, and later events above it again before the next
    // check.
    assert_eq!(machine.post_json("/api/v1/usage/events", &json!([fix, event(&app, "d", "impressions", 200)])).await.json()["accepted"], 2);
    assert_eq!(refusals().await, json!([]));
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 0);
    a_moment_later(&app);
    refused("e").await.problem(402, "usage_cap_reached");
    assert_eq!(refusals().await[0]["events"], 1);
    // Removed and set again.
    set_cap(&app, customer, Value::Null).await;
    assert_eq!(refusals().await, json!([]));
    set_cap(&app, customer, json!({"quantity": 100})).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    assert_eq!(
        super::one(&app, "SELECT string_agg(concat(kind, ' ', round, ' ', rearmed_at IS NOT NULL), ', ' ORDER BY id) FROM usage_alerts")
            .await,
        "cap 0 t, cap 1 t, cap 2 f"
    );
    assert_eq!(super::one(&app, "SELECT count(*)::text FROM billing_audit WHERE event_type = 'usage_alert.rearmed'").await, "2");
}
