//! Content codings, byte order marks and limits: a body counts completely or not at all.

use super::event;
use crate::support::{
    TestApp,
    client::{Answer, Client},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::Write;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const PATH: &str = "/api/v1/usage/events";
const LINES: &str = "application/x-ndjson";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn line(id: &str) -> Vec<u8> {
    format!("{}\n", event(id, "impressions", 1)).into_bytes()
}

async fn post(machine: &Client, coding: &str, content_type: &str, body: Vec<u8>) -> Answer {
    machine.clone().with_header("content-encoding", coding).post(PATH, content_type, body).await
}

async fn impressions(machine: &Client) -> Value {
    machine.get("/api/v1/billing/usage/current").await.json()["current_period"]["impressions"].clone()
}

#[tokio::test]
async fn every_gzip_member_and_zstd_frame_counts() {
    let app = TestApp::start().await;
    let machine = app.machine(app.add_customer("lumen").await).await;
    let members = [gzip(&line("a")), gzip(&line("b")), gzip(&line("c"))].concat();
    let answer = post(&machine, "gzip", LINES, members.clone()).await;
    assert_eq!((answer.status, answer.json()), (202, json!({"accepted": 3, "duplicates": 0, "rejected": []})));
    let skippable = [&[0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0][..], b"note"].concat();
    let frames = [zstd(&line("d")), skippable, zstd(&line("e"))].concat();
    assert_eq!(post(&machine, "zstd", LINES, frames).await.json()["accepted"], 2);
    // An array split between its members.
    let array = json!([event("f", "impressions", 1), event("g", "impressions", 1)]).to_string().into_bytes();
    let cut = [gzip(&array[..20]), gzip(&array[20..])].concat();
    assert_eq!(post(&machine, "gzip", "application/json", cut).await.json()["accepted"], 2);
    assert_eq!(post(&machine, "gzip, zstd", LINES, zstd(&gzip(&line("h")))).await.json()["accepted"], 1);
    assert_eq!(impressions(&machine).await, 8);
}

#[tokio::test]
async fn members_count_with_and_without_a_length() {
    let app = TestApp::start().await;
    let address = app.listen().await;
    let customer = app.add_customer("lumen").await;
    let key = apex_billing::service::api_keys::create(&app.platform, customer, "tests").await.unwrap();
    let send = async |framing: &str, body: &[u8]| {
        let mut stream = TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {key}\r\nContent-Type: {LINES}\r\nContent-Encoding: x-gzip\r\n{framing}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let body = [gzip(&line("a")), gzip(&line("b"))].concat();
    let answer = send(&format!("Content-Length: {}", body.len()), &body).await;
    assert!(answer.starts_with("HTTP/1.1 202") && answer.contains(r#""accepted":2"#), "{answer}");
    // One chunk per member, and one that ends within a header.
    let (one, two, three) = (gzip(&line("c")), gzip(&line("d")), gzip(&line("e")));
    let mut chunked = Vec::new();
    for chunk in [&one[..], &two[..5], &[&two[5..], &three[..]].concat()] {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = send("Transfer-Encoding: chunked", &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 202") && answer.contains(r#""accepted":3"#), "{answer}");
}

#[tokio::test]
async fn a_part_of_a_body_is_never_counted() {
    let app = TestApp::start().await;
    let machine = app.machine(app.add_customer("lumen").await).await;
    let (one, two) = (gzip(&line("a")), gzip(&line("b")));
    for body in
        [[&one[..], b"garbage"].concat(), [&one[..], &[0; 64]].concat(), [&one[..], &two[..two.len() - 3]].concat(), one[..10].to_vec()]
    {
        post(&machine, "gzip", LINES, body).await.problem(400, "bad_request");
    }
    let (one, two) = (zstd(&line("a")), zstd(&line("b")));
    for body in [[&one[..], b"garbage"].concat(), [&one[..], &two[..two.len() - 1]].concat(), gzip(&line("a"))] {
        post(&machine, "zstd", LINES, body).await.problem(400, "bad_request");
    }
    // Members with their own arrays are not one JSON text.
    let array = json!([event("a", "impressions", 1)]).to_string().into_bytes();
    let arrays = [gzip(&array), gzip(&array)].concat();
    post(&machine, "gzip", "application/json", arrays).await.problem(400, "invalid_json");
    // Lines joined without a line break are one item, which is in the response.
    let joined = format!("{}{}", event("a", "impressions", 1), event("b", "impressions", 1));
    let receipt = post(&machine, "gzip", LINES, gzip(joined.as_bytes())).await.json();
    assert_eq!((&receipt["accepted"], &receipt["rejected"][0]["code"]), (&json!(0), &json!("invalid_json")));
    assert_eq!(impressions(&machine).await, 0);
}

#[tokio::test]
async fn codings_are_named_in_any_case_and_others_refused() {
    let app = TestApp::start().await;
    let machine = app.machine(app.add_customer("lumen").await).await;
    for (number, coding) in ["GZIP", "x-gzip", "X-Gzip", "GZip", "identity, gzip"].into_iter().enumerate() {
        let answer = post(&machine, coding, LINES, gzip(&line(&format!("g{number}")))).await;
        assert_eq!(answer.json()["accepted"], 1, "{coding}: {}", answer.text());
    }
    assert_eq!(post(&machine, "ZSTD", LINES, zstd(&line("z"))).await.json()["accepted"], 1);
    assert_eq!(post(&machine, "Identity", LINES, line("i")).await.json()["accepted"], 1);
    for coding in ["br", "deflate", "gzip, compress", "gzip, gzip, gzip, gzip"] {
        let refused = post(&machine, coding, LINES, line("x")).await;
        assert_eq!(refused.header("accept-encoding"), Some("gzip, zstd"), "{coding}");
        refused.problem(415, "unsupported_media_type");
    }
    assert_eq!(impressions(&machine).await, 7);
}

#[tokio::test]
async fn a_byte_order_mark_is_no_part_of_an_event() {
    let app = TestApp::start().await;
    let machine = app.machine(app.add_customer("lumen").await).await;
    let marked = |bytes: &[u8]| [b"\xEF\xBB\xBF", bytes].concat();
    let one = event("a", "impressions", 1).to_string().into_bytes();
    assert_eq!(machine.post(PATH, "application/json", marked(&one)).await.json()["accepted"], 1);
    let array = json!([event("b", "impressions", 1)]).to_string().into_bytes();
    assert_eq!(machine.post(PATH, "application/json", marked(&array)).await.json()["accepted"], 1);
    assert_eq!(machine.post(PATH, LINES, marked(&line("c"))).await.json()["accepted"], 1);
    // Concatenated files with a byte order mark each, compressed each or together.
    let joined = [marked(&line("d")), marked(&line("e"))].concat();
    assert_eq!(machine.post(PATH, LINES, joined).await.json()["accepted"], 2);
    let members = [gzip(&marked(&line("f"))), gzip(&marked(&line("g")))].concat();
    assert_eq!(post(&machine, "gzip", LINES, members).await.json()["accepted"], 2);
    machine.post(PATH, "application/json", b"\xFF\xFE{\0}\0".to_vec()).await.problem(400, "not_utf8");
    assert_eq!(impressions(&machine).await, 7);
}

#[tokio::test]
async fn decoded_bodies_are_limited_in_all_codings() {
    let app = TestApp::start().await;
    let machine = app.machine(app.add_customer("lumen").await).await;
    let spaces = vec![b' '; 20_000_000];
    let halves = [gzip(&spaces[..6_000_000]), gzip(&spaces[..6_000_000])].concat();
    for (coding, body) in
        [("gzip", halves), ("zstd", zstd(&spaces)), ("gzip, zstd", zstd(&gzip(&spaces))), ("zstd, gzip", gzip(&zstd(&spaces)))]
    {
        post(&machine, coding, LINES, body).await.problem(413, "body_too_large");
    }
    // Exactly at the limit.
    let mut most = line("a");
    most.resize(10_485_760, b'\n');
    assert_eq!(post(&machine, "gzip", LINES, gzip(&most)).await.json()["accepted"], 1);
}

#[tokio::test]
async fn reading_stops_at_the_limit_of_events() {
    let app = TestApp::start().await;
    let machine = app.machine(app.add_customer("lumen").await).await;
    // Invalid JSON after the limit is not parsed.
    let array = format!("[{}!!!", "1,".repeat(5_000_000));
    machine.post(PATH, "application/json", array.into_bytes()).await.problem(400, "too_many_events");
    let lines = "1\n".repeat(5_000_000);
    machine.post(PATH, LINES, lines.into_bytes()).await.problem(400, "too_many_events");
    let allowed = format!("[{}1]", "1,".repeat(9_999));
    let receipt = machine.post(PATH, "application/json", allowed.into_bytes()).await.json();
    assert_eq!(receipt["rejected"].as_array().unwrap().len(), 10_000);
    machine.post(PATH, "application/json", b"[1, 2".to_vec()).await.problem(400, "invalid_json");
    machine.post(PATH, "application/json", b"[1] [2]".to_vec()).await.problem(400, "invalid_json");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any split of a body into members or frames counts all events.
    #[test]
    fn any_split_into_members_or_frames_counts_all(
        events in 1usize..60,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        zstandard in any::<bool>(),
        lines in any::<bool>(),
    ) {
        let all: Vec<Value> = (0..events).map(|id| event(&format!("e{id}"), "impressions", 1)).collect();
        let (content_type, body) = if lines {
            (LINES, all.iter().map(|event| format!("{event}\n")).collect::<String>().into_bytes())
        } else {
            ("application/json", Value::Array(all).to_string().into_bytes())
        };
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).chain([0, body.len()]).collect();
        at.sort_unstable();
        let coding = if zstandard { "zstd" } else { "gzip" };
        let encode: fn(&[u8]) -> Vec<u8> = if zstandard { zstd } else { gzip };
        let coded: Vec<u8> = at.windows(2).flat_map(|pair| encode(&body[pair[0]..pair[1]])).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = TestApp::start().await;
            let machine = app.machine(app.add_customer("lumen").await).await;
            let answer = post(&machine, coding, content_type, coded).await;
            assert_eq!((answer.status, answer.json()), (202, json!({"accepted": events, "duplicates": 0, "rejected": []})));
            assert_eq!(impressions(&machine).await, events);
        });
    }
}
