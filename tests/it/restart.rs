//! Restarts without failed requests: real processes under load.

mod load;

use crate::support::{
    TestApp,
    database::TestDatabase,
    program::{Running, Workplace, get},
};
use apex_billing::service::api_keys;
use load::Load;
use sqlx::PgPool;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    process::Command,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

const RESTARTS: usize = 10;

/// Timeout of all waits.
const PATIENCE: Duration = Duration::from_secs(60);

fn serve(mut command: Command, database: &TestDatabase) -> Command {
    command.env("DATABASE_URL", &database.url).env("STRIPE_WEBHOOK_SECRET", "whsec_of_this_test");
    command
}

/// A database with a customer and its API key.
async fn customer() -> (TestApp, String) {
    let app = TestApp::start().await;
    let id = app.add_customer("lumen").await;
    let key = api_keys::create(&app.platform, id, "machine").await.unwrap();
    (app, key)
}

/// Restarts under load with a function from the old to the new server; then counts.
fn loses_nothing(first: impl FnOnce(&TestApp) -> Running, mut restart: impl FnMut(&TestApp, Running) -> Running) {
    let runtime = Runtime::new().unwrap();
    let (app, key) = runtime.block_on(customer());
    let mut server = first(&app);
    let load = Load::start(&runtime, &server.address, &key);
    for _ in 0..RESTARTS {
        // So that every server has served before it stops.
        runtime.block_on(load.more_answers(40));
        server = restart(&app, server);
    }
    runtime.block_on(load.more_answers(40));
    let (answers, failures, accepted) = runtime.block_on(load.end());
    assert!(failures.is_empty(), "{} of {} requests failed: {failures:#?}", failures.len(), answers + failures.len() as u64);
    let counted = runtime.block_on(async {
        sqlx::query_scalar::<_, i64>("SELECT sum(quantity)::bigint FROM usage_records").fetch_one(&app.db).await.unwrap()
    });
    assert_eq!(u64::try_from(counted), Ok(accepted), "each event that was answered counts once");
    assert_eq!(server.signal(libc::SIGTERM), Some(0));
}

fn place() -> Workplace {
    let place = Workplace::new();
    place.set("unready-milliseconds = 5_000", "unready-milliseconds = 500");
    // The load comes from one address, partly unauthenticated.
    place.set("anonymous-requests-per-second = 50", "anonymous-requests-per-second = 1_000_000");
    place
}

#[test]
fn ten_restarts_on_an_inherited_socket_fail_no_request() {
    let place = place();
    let sockets: [OwnedFd; 2] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap().into());
    let start = |app: &TestApp| {
        let mut command = place.command_with_sockets(&["serve", "--no-migrate"], [&sockets[0], &sockets[1]]);
        Running::start(command.env("DATABASE_URL", app.database_url()).env("STRIPE_WEBHOOK_SECRET", "whsec_of_this_test"))
    };
    loses_nothing(start, |app, mut old| {
        assert_eq!(old.signal(libc::SIGTERM), Some(0));
        let new = start(app);
        assert_eq!((&new.address, &new.metrics), (&old.address, &old.metrics));
        new
    });
}

/// A keep-alive connection.
struct KeptAlive(BufReader<TcpStream>);

impl KeptAlive {
    fn new(address: &str) -> KeptAlive {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        KeptAlive(BufReader::new(stream))
    }

    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// The response's status line and headers; reads and drops the body.
    fn answer(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "the connection ended after {head:?}");
        }
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length").parse().unwrap();
        self.0.read_exact(&mut vec![0; length]).unwrap();
        head
    }

    fn get(&mut self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"));
        self.answer()
    }

    fn has_ended(&mut self) -> bool {
        self.0.read(&mut [0]).is_ok_and(|read| read == 0)
    }
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {} s: {what}", PATIENCE.as_secs());
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn readiness_fails_first_and_a_second_signal_aborts() {
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    // Longer than any test may run.
    place.set("unready-milliseconds = 5_000", "unready-milliseconds = 3_600_000");
    let mut server = Running::start(&mut serve(place.command(&["serve"]), &database));
    let mut kept = KeptAlive::new(&server.address);
    let before = kept.get("/readyz");
    assert!(before.starts_with("http/1.1 200") && !before.contains("connection: close"), "{before}");
    server.tell(libc::SIGTERM);
    until("/readyz says no", || server.get("/readyz").starts_with("HTTP/1.1 503"));
    let response = kept.get("/api/v1/meta/features");
    assert!(response.starts_with("http/1.1 200") && response.contains("connection: close"), "{response}");
    assert!(kept.has_ended());
    assert!(server.get("/livez").starts_with("HTTP/1.1 200"));
    assert!(get(&server.metrics, "/metrics").starts_with("HTTP/1.1 200"));
    assert_eq!(server.signal(libc::SIGTERM), Some(1));
}

#[test]
fn running_requests_finish_and_new_ones_are_refused() {
    let runtime = Runtime::new().unwrap();
    let (app, key) = runtime.block_on(customer());
    let place = Workplace::new();
    place.set("unready-milliseconds = 5_000", "unready-milliseconds = 0");
    let mut command = place.command(&["serve"]);
    let mut server = Running::start(command.env("DATABASE_URL", app.database_url()).env("STRIPE_WEBHOOK_SECRET", "whsec_of_this_test"));
    let event = load::event("1");
    let (half, rest) = event.split_at(20);
    let (mut slow, mut idle) = (KeptAlive::new(&server.address), KeptAlive::new(&server.address));
    idle.get("/livez");
    slow.send(&format!(
        "POST /api/v1/usage/events HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        event.len()
    ));
    // The server requests the body once it has started the request.
    let mut asked = String::new();
    slow.0.read_line(&mut asked).unwrap();
    assert!(asked.starts_with("HTTP/1.1 100"), "{asked}");
    slow.0.read_line(&mut asked).unwrap();
    slow.send(half);
    server.tell(libc::SIGTERM);
    assert!(idle.has_ended());
    until("no connection is taken", || TcpStream::connect(&server.address).is_err());
    slow.send(rest);
    let answer = slow.answer();
    assert!(answer.starts_with("http/1.1 202") && answer.contains("connection: close"), "{answer}");
    assert_eq!(server.wait(), Some(0));
}

async fn waits_for_a_lock(db: &PgPool) -> bool {
    let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')";
    sqlx::query_scalar(waiting).fetch_one(db).await.unwrap()
}

#[test]
fn a_job_finishes_its_current_item() {
    let runtime = Runtime::new().unwrap();
    let (app, _) = runtime.block_on(customer());
    let place = Workplace::new();
    place.set("unready-milliseconds = 5_000", "unready-milliseconds = 0");
    let held = runtime.block_on(async {
        sqlx::query(
            r#"INSERT INTO stripe_webhook_events (stripe_event_id, event_type, status, payload) VALUES ('evt_1', 'invoice.finalized', 'received',
               '{"id":"evt_1","object":"event","type":"invoice.finalized","created":1790000000,"livemode":false,"api_version":"2026-07-29.dahlia",
                 "data":{"object":{"id":"in_1","object":"invoice","customer":"cus_lumen","status":"open","currency":"usd","created":1790000000,
                 "total":4200,"subtotal":4200,"amount_due":4200,"amount_paid":0,"amount_remaining":4200}}}')"#,
        )
        .execute(&app.db)
        .await
        .unwrap();
        let mut held = app.db.begin().await.unwrap();
        sqlx::query("SELECT FROM customers FOR UPDATE").execute(&mut *held).await.unwrap();
        held
    });
    let mut command = place.command(&["serve"]);
    let mut server = Running::start(command.env("DATABASE_URL", app.database_url()).env("STRIPE_WEBHOOK_SECRET", "whsec_of_this_test"));
    until("the job is at the event", || runtime.block_on(waits_for_a_lock(&app.db)));
    server.tell(libc::SIGTERM);
    until("no connection is taken", || TcpStream::connect(&server.address).is_err());
    runtime.block_on(held.rollback()).unwrap();
    assert_eq!(server.wait(), Some(0));
    let status: String = runtime.block_on(sqlx::query_scalar("SELECT status FROM stripe_webhook_events").fetch_one(&app.db)).unwrap();
    assert_eq!(status, "applied");
}

#[tokio::test]
async fn systemd_gets_ready_watchdog_and_stopping() {
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let path = place.0.join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let message = || {
        let mut buffer = [0; 64];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
    };
    let mut command = serve(place.command(&["serve"]), &database);
    let mut server = Running::start(command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "400000"));
    let mut first = [message(), message()];
    first.sort();
    assert_eq!(first, ["READY=1", "WATCHDOG=1"]);
    assert_eq!(message(), "WATCHDOG=1");
    server.tell(libc::SIGINT);
    until("it says that it stops", || message() == "STOPPING=1");
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn an_invalid_descriptor_is_one_sentence() {
    let place = Workplace::new();
    let [file, other] = [(); 2].map(|()| OwnedFd::from(std::fs::File::open(place.0.join("Leptos.toml")).unwrap()));
    let output = place.command_with_sockets(&["serve"], [&file, &other]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), text.lines().count()), (Some(1), 1), "{text}");
    assert!(text.contains("descriptor 3"), "{text}");
}
