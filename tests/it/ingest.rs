//! Usage ingest: valid events count once, invalid ones are named, nothing is lost.

mod bulk;
mod coding;
mod limits;
mod retention;

use crate::support::TestApp;
use serde_json::{Value, json};
use std::io::Write;

fn event(id: &str, metric: &str, quantity: i64) -> Value {
    json!({"id": id, "metric": metric, "quantity": quantity, "timestamp": "2026-11-22T15:49:59.120Z", "app_id": "app_42"})
}

#[tokio::test]
async fn one_event_an_array_and_lines_are_accepted() {
    let app = TestApp::start().await;
    let machine = app.machine(app.add_customer("lumen").await).await;

    let one = machine.post_json("/api/v1/usage/events", &event("a", "impressions", 5)).await;
    assert_eq!((one.status, one.json()), (202, json!({"accepted": 1, "duplicates": 0, "rejected": []})));
    let many = machine.post_json("/api/v1/usage/events", &json!([event("b", "impressions", 7), event("c", "api_calls", 3)])).await;
    assert_eq!(many.json()["accepted"], 2);
    let lines = format!("{}\n\n{}\r\n", event("d", "impressions", 1), event("e", "data_transfer_bytes", 1_500_000_000));
    let lines = machine.post("/api/v1/usage/events", "application/x-ndjson; charset=utf-8", lines.into_bytes()).await;
    assert_eq!(lines.json()["accepted"], 2, "{}", lines.text());

    let usage = machine.get("/api/v1/billing/usage/current").await.json();
    assert_eq!(usage["current_period"]["impressions"], 13);
    assert_eq!(usage["current_period"]["api_calls"], 3);
    assert_eq!(usage["current_period"]["data_transfer_gb"], 1.5);
    assert_eq!(usage["as_of"], "2026-11-22T15:49:59.12Z");
}

#[tokio::test]
async fn an_event_counts_once_however_often_it_comes() {
    let app = TestApp::start().await;
    let machine = app.machine(app.add_customer("lumen").await).await;
    let twice = machine
        .post_json(
            "/api/v1/usage/events",
            &json!([event("a", "impressions", 5), event("a", "impressions", 5), event("b", "impressions", 1)]),
        )
        .await;
    assert_eq!(twice.json(), json!({"accepted": 2, "duplicates": 1, "rejected": []}));
    let again = machine.post_json("/api/v1/usage/events", &json!([event("b", "impressions", 1), event("a", "impressions", 5)])).await;
    assert_eq!(again.json(), json!({"accepted": 0, "duplicates": 2, "rejected": []}));
    assert_eq!(machine.get("/api/v1/billing/usage/current").await.json()["current_period"]["impressions"], 6);

    // The same id of another customer is another event.
    let other = app.machine(app.add_customer("orbit").await).await;
    assert_eq!(other.post_json("/api/v1/usage/events", &event("a", "impressions", 1)).await.json()["accepted"], 1);
}

#[tokio::test]
async fn batches_that_overlap_at_once_count_each_event_once() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let machine = app.machine(customer).await;
    let batches = (0..24).map(|batch| {
        let machine = machine.clone();
        async move {
            // Every event is in three batches, each batch in another order.
            let mut events: Vec<Value> = (0..90).map(|i| event(&format!("e{}", (i + batch * 30) % 720), "impressions", 1)).collect();
            if batch % 2 == 1 {
                events.reverse();
            }
            let answer = machine.post_json("/api/v1/usage/events", &Value::Array(events)).await;
            assert_eq!(answer.status, 202, "{}", answer.text());
            answer.json()["accepted"].as_u64().unwrap()
        }
    });
    let accepted: u64 = futures::future::join_all(batches).await.into_iter().sum();
    assert_eq!(accepted, 720);
    let (records, events): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT sum(quantity)::bigint FROM usage_records WHERE customer_id = $1), (SELECT count(*) FROM usage_events WHERE customer_id = $1)",
    )
    .bind(customer.0)
    .fetch_one(&app.db)
    .await
    .unwrap();
    assert_eq!((records, events), (720, 720));
}

#[tokio::test]
async fn a_bad_event_does_not_reject_the_others() {
    let app = TestApp::start().await;
    let machine = app.machine(app.add_customer("lumen").await).await;
    let mut old = event("old", "impressions", 1);
    old["timestamp"] = "2026-01-01T00:00:00Z".into();
    let body = format!(
        "{}\n{{\"id\": \"broken\n{}\n{}\n{}",
        event("a", "impressions", 1),
        event("b", "clicks", 1),
        old,
        event("c", "impressions", 2)
    );
    let answer = machine.post("/api/v1/usage/events", "application/x-ndjson", body.into_bytes()).await;
    let receipt = answer.json();
    assert_eq!((answer.status, &receipt["accepted"]), (202, &json!(2)));
    let codes: Vec<(u64, &str)> =
        receipt["rejected"].as_array().unwrap().iter().map(|r| (r["index"].as_u64().unwrap(), r["code"].as_str().unwrap())).collect();
    assert_eq!(codes, [(1, "invalid_json"), (2, "unknown_metric"), (3, "timestamp_too_old")]);
    assert_eq!(receipt["rejected"][1]["id"], "b");
    assert_eq!(machine.get("/api/v1/billing/usage/current").await.json()["current_period"]["impressions"], 3);
}

#[tokio::test]
async fn a_late_event_lands_in_its_hour() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let machine = app.machine(customer).await;
    let mut late = event("late", "impressions", 9);
    late["timestamp"] = "2026-11-03T07:59:59.999+01:00".into();
    assert_eq!(machine.post_json("/api/v1/usage/events", &late).await.json()["accepted"], 1);
    let hour: time::OffsetDateTime =
        sqlx::query_scalar("SELECT hour FROM usage_records WHERE customer_id = $1").bind(customer.0).fetch_one(&app.db).await.unwrap();
    assert_eq!(hour, time::macros::datetime!(2026-11-03 6:00 UTC));
}

#[tokio::test]
async fn malformed_bodies_are_refused_completely() {
    let app = TestApp::start().await;
    let machine = app.machine(app.add_customer("lumen").await).await;
    let post = |content_type: &'static str, body: Vec<u8>| {
        let machine = machine.clone();
        async move { machine.post("/api/v1/usage/events", content_type, body).await }
    };
    post("application/json", b"[{\"id\":".to_vec()).await.problem(400, "invalid_json");
    post("application/json", b"\xff\xfe".to_vec()).await.problem(400, "not_utf8");
    post("application/json", "[".repeat(100_000).into_bytes()).await.problem(400, "invalid_json");
    post("text/csv", b"a,b".to_vec()).await.problem(415, "unsupported_media_type");
    let too_many: Vec<Value> = (0..10_001).map(|i| event(&format!("e{i}"), "impressions", 1)).collect();
    post("application/json", Value::Array(too_many).to_string().into_bytes()).await.problem(400, "too_many_events");
    post("application/json", vec![b' '; 10_485_761]).await.problem(413, "body_too_large");
    let usage = machine.get("/api/v1/billing/usage/current").await.json();
    assert_eq!((&usage["current_period"]["impressions"], &usage["as_of"]), (&json!(0), &Value::Null));
}

#[tokio::test]
async fn ten_thousand_events_are_accepted_at_once() {
    let app = TestApp::start().await;
    let machine = app.machine(app.add_customer("lumen").await).await;
    let body: String = (0..10_000).map(|i| format!("{}\n", event(&format!("e{i}"), "impressions", 1))).collect();
    let answer = machine.post("/api/v1/usage/events", "application/x-ndjson", body.into_bytes()).await;
    assert_eq!(answer.json(), json!({"accepted": 10_000, "duplicates": 0, "rejected": []}));
}

#[tokio::test]
async fn compressed_bodies_are_limited_after_decoding() {
    let app = TestApp::start().await;
    let machine = app.machine(app.add_customer("lumen").await).await.with_header("content-encoding", "gzip");
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let answer = machine.post("/api/v1/usage/events", "application/json", gzip(event("a", "impressions", 5).to_string().as_bytes())).await;
    assert_eq!(answer.json()["accepted"], 1, "{}", answer.text());
    machine.post("/api/v1/usage/events", "application/json", gzip(&vec![b' '; 20_000_000])).await.problem(413, "body_too_large");
    machine.post("/api/v1/usage/events", "application/json", b"not gzip".to_vec()).await.problem(400, "bad_request");
}

#[tokio::test]
async fn only_api_keys_send_usage() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    app.client().post_json("/api/v1/usage/events", &event("a", "impressions", 1)).await.problem(401, "unauthenticated");
    let person = app.sign_in(apex_billing::domain::role::Role::Publisher, Some(customer)).await;
    person.post_json("/api/v1/usage/events", &event("a", "impressions", 1)).await.problem(403, "forbidden");
}
