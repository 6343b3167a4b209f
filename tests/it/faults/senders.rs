//! Customers' senders: they send batches with overlapping ids, and retry until a response, or die
//! before.

use super::ledger::{Event, Ledger};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Timeout for conditions once everything runs.
pub const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(5);
/// Delay before a retry.
const PAUSE: Duration = Duration::from_millis(20);

/// The servers' current addresses; None: unavailable.
pub type Addresses = Arc<Mutex<Vec<Option<String>>>>;

/// A customer and its API key.
#[derive(Clone, Debug)]
pub struct Customer {
    pub id: Uuid,
    pub key: String,
}

pub struct Senders<'a> {
    ledger: &'a Ledger,
    addresses: Addresses,
    customers: Vec<Customer>,
    /// The first unused number.
    next: AtomicU32,
    /// The same for numbers used in one request only.
    next_of_many: AtomicU32,
    /// Requests started and ended.
    steps: AtomicU64,
    /// Stop new batches.
    finish: AtomicBool,
    /// Stop everything.
    leave: AtomicBool,
}

/// Stops the senders when the test ends.
pub struct UntilTheEnd<'a>(&'a Senders<'a>);

impl Drop for UntilTheEnd<'_> {
    fn drop(&mut self) {
        self.0.finish.store(true, SeqCst);
        self.0.leave.store(thread::panicking(), SeqCst);
    }
}

impl<'a> Senders<'a> {
    pub fn new(ledger: &'a Ledger, addresses: Addresses, customers: Vec<Customer>) -> Senders<'a> {
        Senders {
            ledger,
            addresses,
            customers,
            next: AtomicU32::new(0),
            next_of_many: AtomicU32::new(10_000_000),
            steps: AtomicU64::new(0),
            finish: AtomicBool::new(false),
            leave: AtomicBool::new(false),
        }
    }

    pub fn until_the_end(&self) -> UntilTheEnd<'_> {
        UntilTheEnd(self)
    }

    /// Stops new batches.
    pub fn finish(&self) {
        self.finish.store(true, SeqCst);
    }

    /// Waits until this many requests have started or ended.
    pub fn wait_for_steps(&self, steps: u64) {
        let wanted = self.steps.load(SeqCst) + steps;
        wait_until("requests begin and end", || self.steps.load(SeqCst) >= wanted);
    }

    /// Waits until this many requests have got a response.
    pub fn wait_for_answers(&self, answers: u64) {
        let wanted = self.ledger.known().answers + answers;
        wait_until("requests are answered", || self.ledger.known().answers >= wanted);
    }

    /// Sends until it is stopped.
    pub fn send(&self, seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        while !self.finish.load(SeqCst) {
            let customer = &self.customers[rng.random_range(0..self.customers.len())];
            let batch = self.draw(&mut rng);
            self.ledger.begin(customer.id, &batch);
            let body = Value::Array(batch.iter().map(|number| Event::of(*number, self.ledger.end).to_json()).collect()).to_string();
            let mut deadline = None;
            while !self.leave.load(SeqCst) {
                match self.try_once(&mut rng, customer, &body) {
                    Some(accepted) => {
                        self.ledger.answered(customer.id, &batch, accepted);
                        break;
                    }
                    None => {
                        self.ledger.known().failures += 1;
                        // A sender may die too, and lose what it was about to send.
                        if rng.random_ratio(1, 20) {
                            break;
                        }
                        if self.finish.load(SeqCst) {
                            let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
                            assert!(Instant::now() < deadline, "everything runs, but no response");
                        }
                        thread::sleep(PAUSE);
                    }
                }
            }
        }
    }

    /// New numbers with neighbours that other requests use too; or many that only this request
    /// uses, which are stored in another way.
    fn draw(&self, rng: &mut StdRng) -> BTreeSet<u32> {
        if rng.random_ratio(1, 3) {
            let many = rng.random_range(200..500);
            let first = self.next_of_many.fetch_add(many, SeqCst);
            return (first..first + many).collect();
        }
        let new = rng.random_range(0..150);
        let first = self.next.fetch_add(new, SeqCst);
        let around = first.saturating_sub(1_000)..first + new + 100;
        let others = rng.random_range(1..150);
        let others: Vec<u32> = (0..others).map(|_| rng.random_range(around.clone())).collect();
        (first..first + new).chain(others).collect()
    }

    /// One request to any running server. Returns the number of accepted events; None without a
    /// usable response.
    fn try_once(&self, rng: &mut StdRng, customer: &Customer, body: &str) -> Option<u64> {
        let running: Vec<String> = self.addresses.lock().unwrap().iter().flatten().cloned().collect();
        self.steps.fetch_add(1, SeqCst);
        let answer = running
            .get(rng.random_range(0..running.len().max(1)))
            .and_then(|address| post(address, &[("authorization", &format!("Bearer {}", customer.key))], "/api/v1/usage/events", body));
        self.steps.fetch_add(1, SeqCst);
        let (status, answer) = answer?;
        // A client error would tell a sender not to retry.
        assert!(status == 202 || status >= 500, "{status} {answer}");
        let receipt: Value = serde_json::from_str(&answer).ok().filter(|_| status == 202)?;
        assert_eq!(receipt["rejected"], Value::Array(Vec::new()));
        receipt["accepted"].as_u64()
    }
}

/// Posts JSON and reads the whole response: status and body. None if there was none.
pub fn post(address: &str, headers: &[(&str, &str)], path: &str, body: &str) -> Option<(u16, String)> {
    let address: SocketAddr = address.parse().expect("an address");
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// Polls for as long as [`PATIENCE`].
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {} s: {what}", PATIENCE.as_secs());
        thread::sleep(POLL);
    }
}
