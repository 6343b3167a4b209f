//! Traces and log lines of requests.

use crate::{
    faults::senders::wait_until,
    support::{
        database::TestDatabase,
        program::{Running, Workplace},
    },
};
use apex_billing::{config::Secret, stripe::signature};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as Any},
    trace::v1::{Span, span::SpanKind},
};
use prost::Message;
use serde_json::Value;
use std::{
    collections::HashMap,
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

const WEBHOOK_SECRET: &str = "whsec_of_this_test";
/// A trace started by the caller, and its calling span.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Accepts spans by OTLP/HTTP; for other requests it is a Stripe that refuses, and records their
/// trace.
#[derive(Clone, Default)]
struct Collector {
    exports: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    asked_under: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    async fn start() -> (Collector, String) {
        let collector = Collector::default();
        let app = Router::new().route("/v1/traces", post(take)).fallback(refuse).with_state(collector.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (collector, address)
    }

    fn spans(&self) -> Vec<Span> {
        let exports = self.exports.lock().unwrap();
        exports.iter().flat_map(|export| &export.resource_spans).flat_map(|of| &of.scope_spans).flat_map(|of| of.spans.clone()).collect()
    }
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> &'static str {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    collector.exports.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
    ""
}

async fn refuse(State(collector): State<Collector>, headers: HeaderMap) -> (axum::http::StatusCode, &'static str) {
    let under = headers.get("traceparent").map(|value| value.to_str().unwrap().to_owned());
    collector.asked_under.lock().unwrap().extend(under);
    (axum::http::StatusCode::BAD_REQUEST, r#"{"error":{"type":"invalid_request_error","message":"not here"}}"#)
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> &'a str {
    let value = attributes.iter().find(|attribute| attribute.key == key).and_then(|found| found.value.as_ref()?.value.as_ref());
    match value {
        Some(Any::StringValue(text)) => text,
        other => panic!("{key} is {other:?}"),
    }
}

fn number(attributes: &[KeyValue], key: &str) -> i64 {
    let value = attributes.iter().find(|attribute| attribute.key == key).and_then(|found| found.value.as_ref()?.value.as_ref());
    match value {
        Some(Any::IntValue(number)) => *number,
        other => panic!("{key} is {other:?}"),
    }
}

/// One of these customers, and its API key.
fn customer(place: &Workplace, database: &TestDatabase) -> (String, String) {
    let run = |args: &[&str]| {
        let output = place.command(args).env("DATABASE_URL", &database.url).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let customer = run(&["customer", "add", "--stripe-id", "cus_lumen", "--name", "Lumen", "--email", "a@lumen.example"]);
    let key = run(&["api-key", "create", "--customer", &customer, "--name", "eu"]);
    (customer, key)
}

fn server(place: &Workplace, database: &TestDatabase) -> Command {
    let mut command = place.command(&["serve"]);
    command.env("DATABASE_URL", &database.url).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET);
    command
}

fn send(server: &Running, head: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    write!(stream, "{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn send_usage(server: &Running, key: &str, id: &str, more: &str) -> String {
    let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap();
    let event = format!(r#"{{"id":"{id}","metric":"impressions","quantity":1,"timestamp":"{now}","app_id":"a"}}"#);
    let headers = format!("Authorization: Bearer {key}\r\nContent-Type: application/json\r\n{more}");
    let answer = send(server, "POST /api/v1/usage/events", &headers, &event);
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    answer
}

fn send_webhook(server: &Running, body: &str) -> String {
    let signature = signature::sign(body.as_bytes(), &Secret(WEBHOOK_SECRET.into()), OffsetDateTime::now_utc());
    send(server, "POST /api/v1/webhooks/stripe", &format!("Stripe-Signature: {signature}\r\n"), body)
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).expect("a header")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_traced_under_the_senders_trace() {
    let (collector, address) = Collector::start().await;
    let (database, place) = (TestDatabase::new().await, Workplace::new());
    let (_, key) = customer(&place, &database);
    let mut command = server(&place, &database);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &address).env("STRIPE_SECRET_KEY", "sk_test_1").env("STRIPE_API_BASE", &address);
    let mut server = Running::start(&mut command);
    send_usage(&server, &key, "e1", &format!("traceparent: 00-{TRACE}-{PARENT}-01\r\n"));
    send_usage(&server, &key, "e2", "traceparent: nonsense\r\n");
    assert!(send(&server, "GET /api/v1/billing/invoices", "", "").starts_with("HTTP/1.1 401"));
    wait_until("a job asks Stripe", || !collector.asked_under.lock().unwrap().is_empty());
    // All spans are exported at shutdown, without waiting.
    assert_eq!(server.signal(libc::SIGINT), Some(0));

    let spans = collector.spans();
    let by_id: HashMap<&[u8], &Span> = spans.iter().map(|span| (&span.span_id[..], span)).collect();
    let ours: Vec<&Span> = spans.iter().filter(|span| hex::encode(&span.trace_id) == TRACE).collect();
    let request = ours.iter().find(|span| span.kind() == SpanKind::Server).expect("the request's span");
    assert_eq!((request.name.as_str(), hex::encode(&request.parent_span_id).as_str()), ("POST /api/v1/usage/events", PARENT));
    assert_eq!(text(&request.attributes, "http.route"), "/api/v1/usage/events");
    assert_eq!(text(&request.attributes, "http.request.method"), "POST");
    assert_eq!(number(&request.attributes, "http.response.status_code"), 202);
    assert_eq!(text(&request.attributes, "usage_event_id"), "e1");
    let ingest = ours.iter().find(|span| span.name == "usage.ingest").expect("the use case's span");
    assert_eq!(ingest.parent_span_id, request.span_id);
    let statements: Vec<_> = ours.iter().filter(|span| span.kind() == SpanKind::Client).collect();
    assert!(statements.iter().any(|span| span.parent_span_id == ingest.span_id), "{ours:#?}");
    for statement in statements {
        assert_eq!(text(&statement.attributes, "db.system.name"), "postgresql");
        assert!(!text(&statement.attributes, "db.query.text").is_empty());
        assert!(statement.start_time_unix_nano <= statement.end_time_unix_nano);
        assert!(by_id.contains_key(&statement.parent_span_id[..]));
    }
    // An invalid traceparent starts a new trace, and a refusal is traced too.
    let of = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let another = of("POST /api/v1/usage/events").into_iter().find(|span| span.trace_id != request.trace_id).expect("the second request");
    assert!(another.parent_span_id.is_empty());
    assert_eq!(number(&of("GET /api/v1/billing/invoices")[0].attributes, "http.response.status_code"), 401);
    // Outgoing requests carry their trace.
    let asked_under = collector.asked_under.lock().unwrap().clone();
    let calls: Vec<String> = spans
        .iter()
        .filter(|span| span.name.starts_with("Stripe "))
        .map(|span| format!("00-{}-{}-01", hex::encode(&span.trace_id), hex::encode(&span.span_id)))
        .collect();
    assert!(!calls.is_empty() && asked_under.iter().all(|under| calls.contains(under)), "{asked_under:?} {calls:?}");
    let exports = collector.exports.lock().unwrap();
    for resource in exports.iter().flat_map(|export| &export.resource_spans).map(|of| of.resource.as_ref().unwrap()) {
        assert_eq!(text(&resource.attributes, "service.name"), "apex-billing");
        assert_eq!(text(&resource.attributes, "service.version"), env!("CARGO_PKG_VERSION"));
    }
    let all = format!("{exports:?}");
    assert!(!all.contains(&key) && !all.contains("sk_test_1") && !all.contains(WEBHOOK_SECRET));
}

#[tokio::test]
async fn a_broken_collector_blocks_nothing() {
    let (database, place) = (TestDatabase::new().await, Workplace::new());
    let (_, key) = customer(&place, &database);
    // One never responds, the other is unreachable.
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [hangs.local_addr().unwrap(), away] {
        let mut command = server(&place, &database);
        let mut server = Running::start(command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}")).stderr(Stdio::null()));
        for number in 0..20 {
            send_usage(&server, &key, &format!("{address}-{number}"), "");
        }
        let stopped = Instant::now();
        assert_eq!(server.signal(libc::SIGINT), Some(0));
        assert!(stopped.elapsed() < Duration::from_secs(15), "{:?}", stopped.elapsed());
    }
}

#[tokio::test]
async fn log_lines_name_request_customer_and_events() {
    let (database, place) = (TestDatabase::new().await, Workplace::new());
    let (customer, key) = customer(&place, &database);
    let log = place.0.join("log");
    let mut command = server(&place, &database);
    command.env("LOG_FORMAT", "json").env("RUST_LOG", "apex_billing=debug,sqlx::query=debug");
    let mut server = Running::start(command.stderr(Stdio::from(fs::File::create(&log).unwrap())));
    let usage = header(&send_usage(&server, &key, "evt-of-the-app", ""), "x-request-id").to_owned();
    let invoice = serde_json::json!({"id": "evt_lines", "type": "customer.updated", "created": 1_700_000_000,
        "data": {"object": {"id": "cus_lumen", "object": "customer", "name": "Lumen", "email": "b@lumen.example"}}});
    let webhook = send_webhook(&server, &invoice.to_string());
    assert!(webhook.starts_with("HTTP/1.1 200"), "{webhook}");
    let webhook = header(&webhook, "x-request-id").to_owned();
    // It is invalid: the log line about that names it, in any transaction.
    send_webhook(
        &server,
        r#"{"id":"evt_unreadable","type":"invoice.paid","created":1700000000,"data":{"object":{"id":7,"customer":"cus_lumen"}}}"#,
    );
    assert_eq!(server.signal(libc::SIGINT), Some(0));

    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |id: &str| lines.iter().filter(|line| line["request_id"] == id).collect::<Vec<_>>();
    for line in &lines {
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["target"].is_string(), "{line}");
        assert!(line["request_id"].is_string() || line["method"].is_null(), "{line}");
    }
    let answered = |id: &str| of(id).into_iter().find(|line| line["message"] == "answered").expect("the answer's line").clone();
    let line = answered(&usage);
    assert_eq!((line["status"].as_u64(), line["path"].as_str()), (Some(202), Some("/api/v1/usage/events")));
    assert_eq!((line["customer"].as_str(), line["usage_event_id"].as_str()), (Some(&*customer), Some("evt-of-the-app")));
    assert_eq!(line["usage_events"], 1);
    let statements: Vec<_> = of(&usage).into_iter().filter(|line| line["target"] == "sqlx::query").collect();
    assert!(statements.iter().any(|line| line["customer"] == *customer && line["usage_event_id"] == "evt-of-the-app"), "{statements:?}");
    let line = answered(&webhook);
    assert_eq!((line["stripe_event_id"].as_str(), line["customer"].as_str()), (Some("evt_lines"), Some(&*customer)), "{line}");
    assert!(lines.iter().any(|line| line["stripe_event_id"] == "evt_unreadable" && line["level"] == "WARN"), "{text}");
}
