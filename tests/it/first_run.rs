//! The first run: `serve --demo` with the stand-in for Stripe beside it, as a person at a terminal
//! meets it.

use crate::{
    faults::senders::wait_until,
    idempotency::{cookie_of, post},
    support::program::{Running, Workplace},
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
};

/// Of the three logins.
const PASSWORD: &str = "a password of the demo";

/// A demo, and the words after each label that it printed.
struct FirstRun {
    server: Running,
    psql: String,
    stripe: String,
}

impl FirstRun {
    fn start(place: &Workplace) -> FirstRun {
        let server = Running::start(place.command(&["serve", "--demo"]).env("DEMO_PASSWORD", PASSWORD));
        let psql = server.printed("  database         ");
        let stripe = server.printed("  Stripe stand-in  ");
        let stripe = stripe.split_whitespace().next().unwrap().to_owned();
        FirstRun { server, psql, stripe }
    }

    /// The printed command's output for a query.
    fn query(&self, sql: &str) -> String {
        let output = Command::new("sh").arg("-c").arg(format!("{} -Atc \"{sql}\"", self.psql)).output().unwrap();
        assert!(output.status.success(), "{}: {}", self.psql, String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Has staff compare everything: what differs, kind and object, in order; and the whole answer.
    fn reconcile(&self, key: &str, repair: bool) -> (Vec<String>, Value) {
        let login = json!({"email": "admin@demo.test", "password": PASSWORD}).to_string();
        let cookie = cookie_of(post(&self.server.address, "/api/v1/auth/login", "", &login));
        let headers = format!("Cookie: {cookie}\r\nIdempotency-Key: {key}\r\n");
        let mut stream = post(&self.server.address, "/api/v1/billing/reconcile", &headers, &json!({"repair": repair}).to_string());
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let report: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"));
        let discrepancies = report["discrepancies"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let name = |found: &Value| format!("{} {}", found["kind"].as_str().unwrap(), found["object"].as_str().unwrap());
        let mut found: Vec<String> = discrepancies.iter().map(name).collect();
        found.sort();
        (found, report)
    }

    fn stop(mut self) {
        assert_eq!(self.server.signal(libc::SIGTERM), Some(0));
    }
}

/// Asks the stand-in, and gives the whole answer.
fn ask(stripe: &str, method: &str, path: &str, headers: &str, body: &str) -> String {
    let address = stripe.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const SEEDED: [&str; 6] = [
    "amount invoice",
    "missing_locally invoice",
    "missing_locally invoice_payment",
    "status invoice",
    "subscription_drift subscription",
    "usage_quantity meter",
];

#[test]
fn seeded_differences_last_until_they_are_repaired() {
    let place = Workplace::new();
    place.set("settle-seconds = 10", "settle-seconds = 0");
    place.set("nightly = true", "nightly = false");
    let demo = FirstRun::start(&place);
    let (found, report) = demo.reconcile("first", false);
    assert_eq!(found, SEEDED, "{report:#}");
    // A start fills the stand-in anew, from the database.
    demo.stop();
    let demo = FirstRun::start(&place);
    assert_eq!(demo.reconcile("again", false).0, SEEDED);
    let (_, report) = demo.reconcile("repair", true);
    assert_eq!(report["repaired"], SEEDED.len(), "{report:#}");
    let (found, report) = demo.reconcile("repaired", false);
    assert!(found.is_empty() && report["within_tolerance"] == true, "{report:#}");
    demo.stop();
    let demo = FirstRun::start(&place);
    let (found, report) = demo.reconcile("next-start", false);
    assert!(found.is_empty() && report["within_tolerance"] == true, "{report:#}");
    demo.stop();
}

#[test]
fn what_is_printed_works() {
    let place = Workplace::new();
    let demo = FirstRun::start(&place);
    assert_eq!(demo.query("SELECT count(*) FROM customers"), "2");

    // What happens at Stripe arrives by signed webhooks.
    let curl = demo.server.printed("     curl -u sk_test_demo: -X POST ");
    let path = curl.strip_prefix(demo.stripe.trim_end_matches('/')).unwrap();
    let invoice = path.split('/').nth(3).unwrap().to_owned();
    let status = format!("SELECT status FROM invoices WHERE stripe_invoice_id = '{invoice}'");
    assert_eq!(demo.query(&status), "open");
    let paid = ask(&demo.stripe, "POST", path, "Authorization: Bearer sk_test_demo\r\n", "");
    assert!(paid.starts_with("HTTP/1.1 200"), "{paid}");
    wait_until("the webhooks", || demo.query(&status) == "paid");
    let log = format!("SELECT count(*) FROM stripe_webhook_events WHERE object_id = '{invoice}' AND status = 'applied'");
    assert!(demo.query(&log).parse::<u32>().unwrap() >= 5);
    demo.stop();
}

#[test]
fn without_stripe_the_demo_is_connected_to_none() {
    let place = Workplace::new();
    let mut server = Running::start(&mut place.command(&["serve", "--demo", "--no-stripe"]));
    assert!(server.printed("  database         ").contains("psql"));
    let known = Command::new("sh").arg("-c").arg(format!("{} -Atc 'SELECT 1'", server.printed("  database         "))).output().unwrap();
    assert!(known.status.success());
    let reconcile = place.command(&["reconcile"]).output().unwrap();
    assert!(String::from_utf8_lossy(&reconcile.stderr).contains("not connected to Stripe"));
    assert_eq!(server.signal(libc::SIGTERM), Some(0));
    assert!(!server.all_printed().contains("Stripe stand-in"));
    assert_eq!(place.command(&["serve", "--no-stripe"]).output().unwrap().status.code(), Some(2));
}
