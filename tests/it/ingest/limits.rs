//! Back-pressure and fairness: excess requests are refused completely, only for their sender, and
//! only for a while.

use super::event;
use crate::support::{
    TestApp,
    client::{Answer, Client},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn stored(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT (SELECT count(*) FROM usage_events) + (SELECT count(*) FROM usage_records)")
        .fetch_one(&app.db)
        .await
        .unwrap()
}

async fn send(machine: &Client, ids: std::ops::Range<u32>) -> Answer {
    let events: Vec<Value> = ids.map(|id| event(&format!("e{id}"), "impressions", 1)).collect();
    machine.post_json("/api/v1/usage/events", &Value::Array(events)).await
}

#[tokio::test]
async fn event_rates_are_limited_per_key() {
    let app = TestApp::start_with_settings(&[("ingest-events-per-second = 50_000", "ingest-events-per-second = 10")]).await;
    let customer = app.add_customer("lumen").await;
    let machine = app.machine(customer).await;
    // A burst of a hundred; the rest is debt.
    let first = send(&machine, 0..130).await;
    assert_eq!((first.status, &first.json()["accepted"]), (202, &json!(130)));
    assert_eq!(first.header("ratelimit"), Some(r#""requests";r=1999, "events";r=0"#));
    assert_eq!(first.header("ratelimit-policy"), Some(r#""requests";q=2000;w=10, "events";q=100;w=10"#));
    let before = stored(&app).await;
    let refused = send(&machine, 130..131).await;
    assert_eq!(refused.header("retry-after"), Some("4"));
    refused.problem(429, "rate_limited");
    assert_eq!(stored(&app).await, before);
    // Another key of the same customer, and a key of another customer.
    for customer in [customer, app.add_customer("orbit").await] {
        assert_eq!(send(&app.machine(customer).await, 1000..1001).await.status, 202);
    }
    app.advance(time::Duration::seconds(3));
    send(&machine, 130..131).await.problem(429, "rate_limited");
    app.advance(time::Duration::SECOND);
    assert_eq!(send(&machine, 130..131).await.json()["accepted"], 1);
}

#[tokio::test]
async fn request_rates_are_limited_per_key() {
    let app = TestApp::start_with_settings(&[("ingest-requests-per-second = 200", "ingest-requests-per-second = 1")]).await;
    let machine = app.machine(app.add_customer("lumen").await).await;
    for id in 0..10 {
        // Malformed requests count too.
        let expected = if id == 9 { 400 } else { 202 };
        let body = if id == 9 { "[".to_owned() } else { event(&format!("e{id}"), "impressions", 1).to_string() };
        assert_eq!(machine.post("/api/v1/usage/events", "application/json", body.into_bytes()).await.status, expected);
    }
    let refused = send(&machine, 10..11).await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    refused.problem(429, "rate_limited");
    assert_eq!(stored(&app).await, 9 + 1);
    app.advance(time::Duration::SECOND);
    assert_eq!(send(&machine, 10..11).await.status, 202);
}

/// A request with a Content-Length that sends no body yet.
async fn begin(address: &str, key: &str, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /api/v1/usage/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/x-ndjson\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn bytes_in_flight_are_limited_before_bodies_are_read() {
    // A MiB in total, a quarter of it per key.
    let settings = [("ingest-in-flight-bytes = 134_217_728", "ingest-in-flight-bytes = 1_048_576")];
    let app = TestApp::start_with_settings(&settings).await;
    let address = app.listen().await;
    let customer = app.add_customer("lumen").await;
    let mut keys = Vec::new();
    for _ in 0..6 {
        keys.push(apex_billing::service::api_keys::create(&app.platform, customer, "tests").await.unwrap());
    }
    let client = |key: &String| app.client().with_header("authorization", &format!("Bearer {key}"));
    let admission = &app.platform.admission;

    let mut body = format!("{}\n", event("held", "impressions", 1)).into_bytes();
    body.resize(240_000, b'\n');
    let mut held = Vec::new();
    for (number, key) in keys[..4].iter().enumerate() {
        held.push(begin(&address, key, body.len()).await);
        until(|| admission.bytes_in_flight() > number * body.len() + body.len()).await;
    }
    // The first key uses its quarter; another one can't send something large.
    let greedy = send(&client(&keys[0]), 0..100).await;
    greedy.problem(429, "rate_limited");
    let most = vec![b'\n'; 200_000];
    let refused = client(&keys[4]).post("/api/v1/usage/events", "application/x-ndjson", most.clone()).await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    refused.problem(429, "overloaded");
    // Nor can a body without a length.
    let zipped = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&most).unwrap();
        encoder.finish().unwrap()
    };
    let unpacked =
        client(&keys[4]).with_header("content-encoding", "gzip").post("/api/v1/usage/events", "application/x-ndjson", zipped).await;
    unpacked.problem(429, "overloaded");
    assert_eq!(stored(&app).await, 0);
    assert!(admission.bytes_in_flight() <= 1_048_576);

    // Admitted requests are served, disconnected ones are dropped, and then there is capacity
    // again.
    let mut first = held.remove(0);
    drop(held);
    first.write_all(&body).await.unwrap();
    let mut answer = vec![0; 12];
    first.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 202");
    until(|| admission.bytes_in_flight() == 0).await;
    assert_eq!(send(&client(&keys[4]), 0..100).await.json()["accepted"], 100);
    assert_eq!(stored(&app).await, 101 + 1);
}
