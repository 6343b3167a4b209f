//! The program: start, errors at start, shutdown.

use crate::{
    stripe::StandIn,
    support::{
        database::TestDatabase,
        program::{Running, Workplace, get, run_with_input},
        stand_in::SECRET_KEY,
    },
};
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Output,
    time::{Duration, Instant},
};

#[track_caller]
fn says_one_sentence(output: &Output, about: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(text.starts_with("apex-billing: ") && text.contains(about), "{text}");
}

#[test]
fn wrong_settings_are_one_sentence() {
    let place = Workplace::new();
    says_one_sentence(&place.command(&["serve"]).env("BILLING_ENABLED", "perhaps").output().unwrap(), "BILLING_ENABLED");
    says_one_sentence(&place.command(&["serve"]).env("LEPTOS_SITE_ADDR", "everywhere").output().unwrap(), "LEPTOS_");
    let folder = place.0.display().to_string();
    for file in [folder.as_str(), "nowhere", "Leptos.toml"] {
        says_one_sentence(&place.command(&["serve"]).env("BREACHED_PASSWORDS_FILE", file).output().unwrap(), "BREACHED_PASSWORDS_FILE");
    }
    let unreachable = place.command(&["serve"]).env("DATABASE_URL", "postgres://user:hunter2@127.0.0.1:1/none").output().unwrap();
    says_one_sentence(&unreachable, "DATABASE_URL");
    assert!(!String::from_utf8_lossy(&unreachable.stderr).contains("hunter2"));
    fs::write(place.0.join("Leptos.toml"), "[limits]\n").unwrap();
    says_one_sentence(&place.command(&["serve"]).output().unwrap(), "Leptos.toml");
}

#[test]
fn bad_usage_is_exit_code_two_and_every_command_explains_itself() {
    let place = Workplace::new();
    assert_eq!(place.command(&["fly"]).output().unwrap().status.code(), Some(2));
    assert_eq!(place.command(&["user", "add", "a@b.example", "--role", "king"]).output().unwrap().status.code(), Some(2));
    for wrong in [&["webhooks", "replay"][..], &["webhooks", "replay", "evt_1", "--failed"], &["webhooks", "list", "--status", "lost"]] {
        assert_eq!(place.command(wrong).output().unwrap().status.code(), Some(2), "{wrong:?}");
    }
    for command in ["serve", "checklist", "migrate", "demo", "user", "customer", "api-key", "webhooks", "rollback"] {
        let help = place.command(&[command, "--help"]).output().unwrap();
        assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("Example"), "{command}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_one_sentence() {
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = place.command(&["serve"]).env("DATABASE_URL", &database.url).env("LEPTOS_SITE_ADDR", &address).output().unwrap();
    says_one_sentence(&output, &address);
}

#[tokio::test]
async fn accounts_are_managed_from_the_shell() {
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let run = |args: &[&str], input: &str| {
        let output = run_with_input(place.command(args).env("DATABASE_URL", &database.url), input);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let (code, customer) =
        run(&["customer", "add", "--stripe-id", "cus_1", "--name", "Lumen", "--email", "a@lumen.example", "--currency", "eur"], "");
    assert_eq!(code, Some(0));
    assert_eq!(run(&["user", "add", "a@lumen.example", "--role", "publisher", "--customer", &customer], "a long password\n").0, Some(0));
    assert_eq!(run(&["user", "add", "b@lumen.example", "--role", "publisher"], "a long password\n").0, Some(1));
    assert_eq!(run(&["user", "passwd", "a@lumen.example"], "").0, Some(1));
    assert!(run(&["user", "list", "--json"], "").1.contains(r#""email": "a@lumen.example""#));
    let (code, key) = run(&["api-key", "create", "--customer", &customer, "--name", "eu"], "");
    assert!(code == Some(0) && key.starts_with("apex_"));
    assert_eq!(run(&["api-key", "revoke", &key[..13]], "").0, Some(0));
    assert!(run(&["migrate", "status"], "").1.lines().all(|line| line.starts_with("applied")));
}

#[tokio::test]
async fn the_inbox_is_managed_from_the_shell() {
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let run = |args: &[&str]| {
        let output = place.command(args).env("DATABASE_URL", &database.url).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(run(&["webhooks", "list"]), (Some(0), String::new()));
    for (id, payload) in [
        ("evt_ok", r#"{"id":"evt_ok","type":"payout.paid","created":1790000000}"#),
        ("evt_bad", r#"{"id":"evt_bad","type":"invoice.paid"}"#),
    ] {
        sqlx::query(
            "INSERT INTO stripe_webhook_events (stripe_event_id, event_type, status, payload) VALUES ($1, 'invoice.paid', 'failed', $2)",
        )
        .bind(id)
        .bind(payload)
        .execute(&database.pool)
        .await
        .unwrap();
    }
    let listed = run(&["webhooks", "list", "--status", "failed", "--json"]).1;
    let page: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((page["pagination"]["total"].as_u64(), page["counts"]["failed"].as_u64()), (Some(2), Some(2)));
    assert_eq!(
        run(&["webhooks", "list", "--q", "EVT_OK"]).1.lines().map(|line| line.split('\t').next().unwrap()).collect::<Vec<_>>(),
        ["evt_ok"]
    );
    let (code, shown) = run(&["webhooks", "show", "evt_bad"]);
    assert!(code == Some(0) && shown.ends_with("{\"id\":\"evt_bad\",\"type\":\"invoice.paid\"}\n"), "{shown}");
    assert_eq!(run(&["webhooks", "show", "evt_none"]).0, Some(1));
    let (code, replayed) = run(&["webhooks", "replay", "evt_ok"]);
    assert!(code == Some(0) && replayed.starts_with("evt_ok\tfailed -> ignored\t"), "{replayed}");
    let (code, replayed) = run(&["webhooks", "replay", "--failed"]);
    assert_eq!((code, replayed.as_str()), (Some(1), "replayed\t1\nstill failing\t1\nleft\t0\n"));
    assert_eq!(run(&["webhooks", "replay"]).0, Some(2));
    assert_eq!(run(&["webhooks", "list", "--status", "lost"]).0, Some(2));
}

#[test]
fn with_a_private_database_it_survives_kills() {
    let place = Workplace::new();
    let demo = place.command(&["demo", "--json"]).output().unwrap();
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
    let access: serde_json::Value = serde_json::from_slice(&demo.stdout).unwrap();
    assert_eq!(access["logins"].as_array().unwrap().len(), 3);
    let postmaster = place.0.join(".data/pg/data/postmaster.pid");
    assert!(!postmaster.exists(), "the private PostgreSQL stops with its last user");

    let mut server = Running::start(&mut place.command(&["serve"]));
    assert!(server.get("/api/v1/health").contains(r#""status":"ok""#));
    server.signal(libc::SIGKILL);
    assert!(postmaster.exists());

    let mut server = Running::start(&mut place.command(&["serve", "--demo"]));
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    let again: serde_json::Value = serde_json::from_slice(&place.command(&["demo", "--json"]).output().unwrap().stdout).unwrap();
    assert_eq!(again, access);
    // Without a load balancer there is no waiting.
    let signalled = Instant::now();
    assert_eq!(server.signal(libc::SIGTERM), Some(0));
    assert!(signalled.elapsed() < Duration::from_secs(5), "{:?}", signalled.elapsed());
    assert!(!postmaster.exists());
}

#[tokio::test]
async fn metrics_are_only_on_their_own_address() {
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let mut server =
        Running::start(place.command(&["serve"]).env("DATABASE_URL", &database.url).env("STRIPE_WEBHOOK_SECRET", "whsec_of_this_test"));
    assert!(server.get("/metrics").starts_with("HTTP/1.1 404"));
    let mut stream = TcpStream::connect(&server.address).unwrap();
    write!(stream, "POST /api/v1/webhooks/stripe HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    // A signed event of an unhandled type.
    let body = r#"{"id":"evt_1","type":"plan.created","created":1700000000,"data":{"object":{"id":"plan_1"}}}"#;
    let secret = apex_billing::config::Secret("whsec_of_this_test".into());
    let signature = apex_billing::stripe::signature::sign(body.as_bytes(), &secret, time::OffsetDateTime::now_utc());
    let mut stream = TcpStream::connect(&server.address).unwrap();
    write!(
        stream,
        "POST /api/v1/webhooks/stripe HTTP/1.1\r\nHost: x\r\nConnection: close\r\nStripe-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let metrics = get(&server.metrics, "/metrics");
    assert!(metrics.contains(r#"webhook_events_total{type="other",result="ignored"} 1"#), "{metrics}");
    assert!(metrics.contains(r#"webhook_signature_failures_total{reason="missing"} 1"#), "{metrics}");
    assert!(metrics.contains("http_request_duration_seconds_bucket"), "{metrics}");
    assert_eq!(server.signal(libc::SIGTERM), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backfills_run_from_the_shell_and_at_start() {
    let stand_in = StandIn::listen("127.0.0.1:0", SECRET_KEY, time::OffsetDateTime::now_utc).await.unwrap();
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let command = |args: &[&str]| {
        let mut command = place.command(args);
        command.env("DATABASE_URL", &database.url).env("STRIPE_SECRET_KEY", SECRET_KEY).env("STRIPE_API_BASE", stand_in.base_url());
        command
    };
    let add = ["customer", "add", "--name", "Lumen", "--email", "a@lumen.example"];
    assert_eq!(command(&add).output().unwrap().status.code(), Some(2));
    let make = || command(&[&add[..], &["--create-in-stripe"]].concat()).output().unwrap();
    let (first, again) = (make(), make());
    assert!(first.status.success() && first.stdout == again.stdout, "{}", String::from_utf8_lossy(&first.stderr));
    let backfill = command(&["webhooks", "backfill", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&backfill.stdout).unwrap();
    assert_eq!(report["streams"], serde_json::json!([{"stream": "events", "read": 1, "stored": 1}]));
    assert!(String::from_utf8_lossy(&backfill.stderr).contains("--full"), "{report}");
    let imported = command(&["webhooks", "backfill", "--full"]).output().unwrap();
    let text = String::from_utf8_lossy(&imported.stdout);
    assert!(text.starts_with("customers\t1 read\t1 new\n") && text.ends_with("events\t1 read\t0 new\n"), "{text}");
    assert!(imported.stderr.is_empty(), "{}", String::from_utf8_lossy(&imported.stderr));
    let unreachable = command(&["webhooks", "backfill"]).env_remove("STRIPE_SECRET_KEY").output().unwrap();
    says_one_sentence(&unreachable, "not connected to Stripe");

    crate::stand_in::client::post(&stand_in, "v1/customers", "name=Other").await;
    let mut server = Running::start(&mut command(&["serve"]));
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    let missed = "SELECT count(*) FROM stripe_webhook_events WHERE event_type = 'customer.created'";
    while sqlx::query_scalar::<_, i64>(missed).fetch_one(&database.pool).await.unwrap() < 2 {
        assert!(std::time::Instant::now() < deadline, "the missed event was never read");
    }
    assert!(get(&server.metrics, "/metrics").contains(r#"stripe_circuit_state 0"#));
    server.signal(libc::SIGKILL);
}
