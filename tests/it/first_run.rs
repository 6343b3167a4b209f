//! The first run: `serve --demo` with the stand-in for Stripe beside it, as a person at a terminal meets it.

use crate::{
    faults::senders::wait_until,
    support::program::{Running, Workplace},
};
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpStream,
    process::{Command, Output},
};

/// A demo, and the words after each label that it printed.
struct FirstRun {
    server: Running,
    psql: String,
    stripe: String,
}

impl FirstRun {
    fn start(place: &Workplace) -> FirstRun {
        let server = Running::start(&mut place.command(&["serve", "--demo"]));
        let psql = server.printed("  database         ");
        let stripe = server.printed("  Stripe stand-in  ");
        let stripe = stripe.split_whitespace().next().unwrap().to_owned();
        FirstRun { server, psql, stripe }
    }

    /// What the printed command says to a query.
    fn query(&self, sql: &str) -> String {
        let output = Command::new("sh").arg("-c").arg(format!("{} -Atc \"{sql}\"", self.psql)).output().unwrap();
        assert!(output.status.success(), "{}: {}", self.psql, String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Compares everything; the exit code, and what differed: kind and object, in order.
    fn reconcile(&self, place: &Workplace, args: &[&str]) -> (Option<i32>, Vec<String>, Value) {
        let mut command = place.command(&[&["reconcile", "--json"], args].concat());
        command.env("STRIPE_SECRET_KEY", "sk_test_demo").env("STRIPE_API_BASE", &self.stripe);
        let Output { status, stdout, stderr } = command.output().unwrap();
        let report: Value = serde_json::from_slice(&stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&stderr)));
        let discrepancies = report["discrepancies"].as_array().unwrap();
        let name = |found: &Value| format!("{} {}", found["kind"].as_str().unwrap(), found["object"].as_str().unwrap());
        let mut found: Vec<String> = discrepancies.iter().map(name).collect();
        found.sort();
        (status.code(), found, report)
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
    let (code, found, report) = demo.reconcile(&place, &[]);
    assert_eq!((code, found), (Some(1), SEEDED.map(str::to_owned).to_vec()), "{report:#}");
    // A start fills the stand-in anew, from the database.
    demo.stop();
    let demo = FirstRun::start(&place);
    assert_eq!(demo.reconcile(&place, &[]).1, SEEDED);
    let (_, _, report) = demo.reconcile(&place, &["--repair"]);
    assert_eq!(report["repaired"], SEEDED.len(), "{report:#}");
    let (code, found, _) = demo.reconcile(&place, &[]);
    assert_eq!((code, found), (Some(0), vec![]));
    demo.stop();
    let demo = FirstRun::start(&place);
    let (code, found, _) = demo.reconcile(&place, &[]);
    assert_eq!((code, found), (Some(0), vec![]));
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
