//! A fourth metric, from its events to the pages. Unit tests of this crate are built with it: its
//! entry stands in `domain/metric.rs`. This adds the other two parts, a migration and a name in
//! `Leptos.toml`, and no code knows more of it.
//!
//! It is a unit test because integration tests are built against the crate as it is released, with
//! three metrics.

#[path = "support.rs"]
#[allow(dead_code, reason = "integration tests use the rest")]
mod support;

use crate::{
    api::openapi,
    domain::{metric::Metric, period::Period, role::Role},
    service::{billed_usage, usage_check},
    store::postgres::meters,
};
use axum::http::Method;
use serde_json::{Value, json};
use support::app::{NOW, TestApp};
use time::Duration;

const MIGRATION: &str = include_str!("../fixtures/fourth_metric.sql");
const LAST_NAME: &str = "data_transfer_bytes = \"data_transfer_bytes\"";

fn event(id: &str, gigabytes: u64) -> Value {
    json!({"id": id, "metric": "storage_bytes", "quantity": gigabytes * 1_000_000_000, "timestamp": "2026-11-22T12:00:00Z", "app_id": "app"})
}

#[tokio::test]
async fn one_entry_one_migration_and_one_name_add_a_metric() {
    let names = format!("{LAST_NAME}\nstorage_bytes = \"storage\"");
    let app = TestApp::start_with_settings(&[(LAST_NAME, &names)]).await;
    sqlx::raw_sql(MIGRATION).execute(&app.db).await.unwrap();
    let customer = app.add_customer("lumen").await;
    app.subscribe(customer, "growth", "usd").await;
    let (machine, person) = (app.machine(customer).await, app.sign_in(Role::Publisher, Some(customer)).await);

    // Events are counted, rated and shown in GB.
    let answer = machine.post_json("/api/v1/usage/events", &json!([event("a", 20), event("b", 5)])).await.json();
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(2), &json!([])));
    let usage = machine.get("/api/v1/billing/usage/current").await.json();
    assert_eq!((&usage["current_period"]["storage_gb"], &usage["current_period"]["impressions"]), (&json!(25), &json!(0)));
    assert_eq!(usage["overages"]["storage"], json!({"amount": 5, "cost": 10}));
    assert_eq!(usage["overages"]["total_overage_cost"], 10);
    assert_eq!(
        (&usage["subscription"]["included_storage_gb"], &usage["subscription"]["included_impressions"]),
        (&json!(20), &json!(10_000_000))
    );
    assert_eq!(usage["daily"][21]["storage_bytes"], 25_000_000_000_u64);
    let history = machine.get("/api/v1/billing/usage/history?metric=storage_bytes").await.json();
    assert_eq!(history["series"][0]["metric"], "storage_bytes");

    // People see it and set its alerts and its cap.
    let page = person.get("/billing/usage").await.page();
    assert!(page.contains("Storage") && page.contains("25 GB") && page.contains("of 20 GB included"), "{page}");
    assert!(person.get("/billing/settings").await.page().contains("alerts-storage_bytes"));
    let cap = json!({"metrics": {"storage_bytes": {"percent": [50], "cap": {"quantity": 21_000_000_000_u64}}}, "confirm": true});
    let saved = person.send(Method::PUT, "/api/v1/billing/alerts", Some("application/json"), cap.to_string().into_bytes()).await;
    assert_eq!((saved.status, &saved.json()["metrics"]["storage_bytes"]["percent"]), (200, &json!([50])));
    machine.post_json("/api/v1/usage/events", &event("d", 1)).await.problem(402, "usage_cap_reached");
    let verdict = person.get("/billing/usage").await.page();
    assert!(verdict.contains("Storage is being refused: your cap of 21 GB is reached"), "{verdict}");

    // Jobs meter it, keep what was billed of it, and check it.
    meters::add(&app.db, NOW).await.unwrap();
    let metered: Vec<String> = sqlx::query_scalar("SELECT metric FROM usage_meters ORDER BY metric").fetch_all(&app.db).await.unwrap();
    assert!(metered.len() == Metric::ALL.len() && metered.contains(&"storage_bytes".to_owned()), "{metered:?}");
    assert_eq!(app.platform.config.file.meters.event_name(Metric::StorageBytes), "storage");
    billed_usage::check(&app.platform).await.unwrap();
    let day = Period::new(NOW - Duration::DAY, NOW).unwrap();
    assert_eq!(usage_check::check(&app.platform, day).await.unwrap().0, []);

    // The document describes it.
    let schemas = &openapi::document()["components"]["schemas"];
    assert_eq!(schemas["Overages"]["properties"]["storage"]["$ref"], "#/components/schemas/TransferOverage");
    assert!(schemas["Metric"]["enum"].as_array().unwrap().contains(&json!("storage_bytes")));
    assert!(schemas["CurrentPeriod"].to_string().contains("storage_gb"));
}
