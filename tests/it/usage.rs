//! `GET /billing/usage/current`.

use crate::support::TestApp;
use apex_billing::domain::role::Role;
use serde_json::{Value, json};

fn event(id: &str, metric: &str, quantity: u64, timestamp: &str) -> Value {
    json!({"id": id, "metric": metric, "quantity": quantity, "timestamp": timestamp, "app_id": "app_42"})
}

#[tokio::test]
async fn the_contracts_example_is_returned_exactly() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    app.subscribe(customer, "growth", "usd").await;
    let machine = app.machine(customer).await;
    let events = json!([
        event("a", "impressions", 12_345_678, "2026-11-10T12:00:00Z"),
        event("b", "api_calls", 420_000, "2026-11-22T15:50:00Z"),
        event("c", "data_transfer_bytes", 37_250_000_000, "2026-11-01T00:00:00Z"),
        event("before", "impressions", 5_000_000, "2026-10-31T23:59:59.999Z"),
    ]);
    assert_eq!(machine.post_json("/api/v1/usage/events", &events).await.json()["accepted"], 4);

    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let answer = person.get("/api/v1/billing/usage/current").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let body = answer.json();
    assert_eq!(
        body["current_period"],
        json!({"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z", "impressions": 12_345_678, "api_calls": 420_000, "data_transfer_gb": 37.25})
    );
    assert_eq!(
        body["overages"],
        json!({"currency": "usd", "impressions": {"amount": 2_345_678, "cost": 18_768}, "api_calls": {"amount": 0, "cost": 0},
               "data_transfer": {"amount": 0, "cost": 0}, "total_overage_cost": 18_768})
    );
    assert_eq!(
        body["subscription"],
        json!({"plan_type": "growth", "status": "active", "included_impressions": 10_000_000, "included_api_calls": 1_000_000,
               "included_data_transfer_gb": 500, "cancel_at_period_end": false})
    );
    assert_eq!(body["as_of"], "2026-11-22T15:50:00Z");
    let expected = body["forecast"]["impressions"]["amount"].as_u64().unwrap();
    assert!(expected > 12_345_678, "{}", body["forecast"]);
    assert_eq!(body["daily"].as_array().unwrap().len(), 22);
}

#[tokio::test]
async fn without_a_subscription_the_period_is_the_calendar_month() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    let body = person.get("/api/v1/billing/usage/current").await.json();
    assert_eq!(body["subscription"], Value::Null);
    assert_eq!(
        (&body["current_period"]["start"], &body["current_period"]["end"]),
        (&json!("2026-11-01T00:00:00Z"), &json!("2026-12-01T00:00:00Z"))
    );
    assert_eq!((&body["as_of"], &body["overages"]["total_overage_cost"]), (&Value::Null, &json!(0)));
}

#[tokio::test]
async fn yen_prices_cost_yen() {
    let app = TestApp::start().await;
    let customer = app.add_customer_in("orbit", "jpy".parse().unwrap()).await;
    app.subscribe(customer, "starter", "jpy").await;
    let machine = app.machine(customer).await;
    machine.post_json("/api/v1/usage/events", &event("a", "impressions", 1_000_001, "2026-11-10T12:00:00Z")).await;
    let overages = &machine.get("/api/v1/billing/usage/current").await.json()["overages"];
    assert_eq!((&overages["currency"], &overages["total_overage_cost"]), (&json!("jpy"), &json!(15)));
}

#[tokio::test]
async fn a_new_plan_version_leaves_the_current_period() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    app.subscribe(customer, "starter", "usd").await;
    let machine = app.machine(customer).await;
    machine.post_json("/api/v1/usage/events", &event("a", "impressions", 2_000_000, "2026-11-10T12:00:00Z")).await;
    let cost = async || machine.get("/api/v1/billing/usage/current").await.json()["overages"]["total_overage_cost"].as_i64().unwrap();
    assert_eq!(cost().await, 10_000);
    sqlx::raw_sql(
        "INSERT INTO plans (plan_type, version, valid_from) VALUES ('starter', 2, '2026-11-15Z');
         INSERT INTO plan_prices SELECT plans.id, 'usd', metric, 1000, 99 FROM plans, unnest(ARRAY['impressions', 'api_calls', 'data_transfer_bytes']) AS m (metric)
         WHERE version = 2;",
    )
    .execute(&app.db)
    .await
    .unwrap();
    assert_eq!(cost().await, 10_000);
}

#[tokio::test]
async fn usage_is_read_from_sums_never_from_events() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    app.subscribe(customer, "starter", "usd").await;
    let machine = app.machine(customer).await;
    machine.post_json("/api/v1/usage/events", &event("a", "impressions", 1_200_000, "2026-11-10T12:00:00Z")).await;
    let paths = [
        "/api/v1/billing/usage/current",
        "/api/v1/billing/usage/history?granularity=hour&from=2026-11-10&to=2026-11-11",
        "/api/v1/billing/usage/history?granularity=day",
        "/api/v1/billing/usage/history?granularity=month&group_by=app",
    ];
    let mut before = Vec::new();
    for path in paths {
        before.push(machine.get(path).await.json());
    }
    assert!(before.iter().all(|answer| answer.to_string().contains("1200000")), "{before:?}");
    // A query of raw events would fail now.
    sqlx::raw_sql("DROP TABLE usage_events; DROP TABLE usage_ids;").execute(&app.db).await.unwrap();
    for (path, before) in paths.into_iter().zip(before) {
        let after = machine.get(path).await;
        assert_eq!((after.status, after.json()), (200, before), "{path}");
    }
}
