//! ClickHouse is unavailable: usage is still accepted, responses say since when it is incomplete,
//! and it catches up.

use super::{Metered, becomes, event, impressions, impressions_of, send, settle};
use crate::support::{TestApp, app::NOW, clickhouse::Engine};
use apex_billing::{
    domain::{metric::Metric, role::Role},
    jobs,
    service::usage,
};
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn outages_delay_counting_and_responses_say_so() {
    let mut engine = Engine::not_started();
    engine.start();
    let app = TestApp::start_with(&[("CLICKHOUSE_URL", &engine.url())]).await;
    let customer = app.add_customer("lumen").await;
    let machine = app.machine(customer).await;
    let before = NOW - time::Duration::hours(1);
    send(&app, customer, &[event("before", "impressions", 5, before)]).await;
    settle(&app).await;
    assert_eq!(app.client().get("/api/v1/health").await.json()["checks"]["usage_store"], "ok");

    engine.kill();
    let taken = machine.post_json("/api/v1/usage/events", &event("while", "impressions", 7, NOW)).await;
    assert_eq!((taken.status, taken.json()), (202, json!({"accepted": 1, "duplicates": 0, "rejected": []})));
    let again = machine.post_json("/api/v1/usage/events", &event("while", "impressions", 7, NOW)).await;
    assert_eq!(again.json(), json!({"accepted": 0, "duplicates": 1, "rejected": []}));
    assert!(app.platform.usage.settle().await.unwrap_err().is_of_clickhouse());
    let figures = usage::current(&app.platform, customer).await.unwrap();
    assert_eq!((figures.current_period.used[Metric::Impressions], figures.as_of), (5, Some(before)));
    assert!(figures.waiting_since.is_some());
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let answer = person.get("/api/v1/billing/usage/current").await.json();
    assert_eq!(answer["as_of"], "2026-11-22T14:50:00Z");
    assert!(answer["waiting_since"].is_string(), "{answer}");
    let health = app.client().get("/api/v1/health").await;
    assert_eq!((health.status, &health.json()["status"]), (200, &json!("degraded")));
    assert_eq!(health.json()["checks"]["usage_store"], "degraded");
    assert_eq!(app.client().get("/readyz").await.status, 200);

    engine.start();
    settle(&app).await;
    let figures = usage::current(&app.platform, customer).await.unwrap();
    assert_eq!((figures.current_period.used[Metric::Impressions], figures.as_of, figures.waiting_since), (12, Some(NOW), None));
    assert_eq!(app.client().get("/api/v1/health").await.json()["checks"]["usage_store"], "ok");
}

#[tokio::test]
async fn an_hours_outage_refuses_no_event() {
    let mut engine = Engine::not_started();
    engine.start();
    let app = TestApp::start_with(&[("CLICKHOUSE_URL", &engine.url())]).await;
    let customer = app.add_customer("lumen").await;
    let (machine, person) = (app.machine(customer).await, app.sign_in(Role::Readonly, Some(customer)).await);
    let stop = CancellationToken::new();
    let (_, running) = jobs::start(&app.platform, stop.clone());
    send(&app, customer, &[event("before", "impressions", 5, NOW)]).await;
    becomes(5, Duration::from_secs(20), async || impressions_of(&app, customer).await).await;

    engine.kill();
    for five_minutes in 1..=12 {
        app.advance(time::Duration::minutes(5));
        let body = event(&format!("during{five_minutes}"), "impressions", 10, app.now());
        let taken = machine.post_json("/api/v1/usage/events", &body).await;
        assert_eq!((taken.status, taken.json()), (202, json!({"accepted": 1, "duplicates": 0, "rejected": []})));
        let again = machine.post_json("/api/v1/usage/events", &body).await;
        assert_eq!((again.status, again.json()), (202, json!({"accepted": 0, "duplicates": 1, "rejected": []})));
        let answer = person.get("/api/v1/billing/usage/current").await.json();
        assert_eq!((&answer["current_period"]["impressions"], &answer["as_of"]), (&json!(5), &json!("2026-11-22T15:50:00Z")));
        assert!(answer["waiting_since"].is_string(), "{answer}");
    }
    assert_eq!(app.now() - NOW, time::Duration::HOUR);
    // The queue uses the database's clock, on which no hour has passed.
    let hour_later = "UPDATE usage_outbox SET received_at = received_at - interval '1 hour'";
    sqlx::query(hour_later).execute(&app.db).await.unwrap();
    assert!(app.platform.usage.condition().await.behind >= Duration::from_secs(3600));
    assert_eq!(app.client().get("/api/v1/health").await.json()["checks"]["usage_store"], "degraded");
    assert_eq!(app.client().get("/readyz").await.status, 200);

    engine.start();
    becomes(125, Duration::from_secs(20), async || impressions_of(&app, customer).await).await;
    let figures = usage::current(&app.platform, customer).await.unwrap();
    assert_eq!((figures.as_of, figures.waiting_since), (Some(app.now()), None));
    assert_eq!(app.client().get("/api/v1/health").await.json()["checks"]["usage_store"], "ok");
    assert_eq!(super::recorded(&app, customer).await, (125, 13));
    stop.cancel();
    running.finish().await;
}

#[tokio::test]
async fn a_server_starts_without_it_and_catches_up() {
    let mut engine = Engine::not_started();
    let app = TestApp::start_with(&[("CLICKHOUSE_URL", &engine.url())]).await;
    let customer = app.add_customer("lumen").await;
    let stop = CancellationToken::new();
    let (_, running) = jobs::start(&app.platform, stop.clone());
    assert_eq!(send(&app, customer, &impressions(0..500)).await, 500);
    assert_eq!(impressions_of(&app, customer).await, 0);

    engine.start();
    becomes(500, Duration::from_secs(20), async || impressions_of(&app, customer).await).await;
    assert_eq!(usage::current(&app.platform, customer).await.unwrap().waiting_since, None);

    engine.kill();
    assert_eq!(send(&app, customer, &impressions(500..700)).await, 200);
    engine.start();
    becomes(700, Duration::from_secs(20), async || impressions_of(&app, customer).await).await;
    stop.cancel();
    running.finish().await;
}

#[tokio::test]
async fn an_event_is_counted_within_five_seconds() {
    let metered = Metered::on_clickhouse().await;
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    let stop = CancellationToken::new();
    let (_, running) = jobs::start(&app.platform, stop.clone());
    for round in 1..=3u32 {
        send(app, customer, &impressions((round - 1) * 10..round * 10)).await;
        becomes(u64::from(round * 10), Duration::from_secs(5), async || impressions_of(app, customer).await).await;
    }
    stop.cancel();
    running.finish().await;
}

#[tokio::test]
async fn a_minutes_backlog_is_reported() {
    let metered = Metered::on_clickhouse().await;
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    send(app, customer, &impressions(0..1)).await;
    assert_eq!(app.client().get("/api/v1/health").await.json()["checks"]["usage_store"], "ok");
    sqlx::query("UPDATE usage_outbox SET received_at = now() - interval '61 s'").execute(&app.db).await.unwrap();
    assert_eq!(app.client().get("/api/v1/health").await.json()["checks"]["usage_store"], "degraded");
}

#[tokio::test]
async fn an_unresponsive_store_blocks_no_request() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/usage", silent.local_addr().unwrap());
    let begun = std::time::Instant::now();
    let app = TestApp::start_with(&[("CLICKHOUSE_URL", &url)]).await;
    let customer = app.add_customer("lumen").await;
    assert_eq!(send(&app, customer, &impressions(0..10)).await, 10);
    assert_eq!(app.client().get("/api/v1/health").await.json()["checks"]["usage_store"], "degraded");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
