//! PostgreSQL becomes unavailable under a running server, and returns.

use crate::{
    faults::{postgres::Postgres, senders::wait_until},
    support::program::{Running, Workplace},
};
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Stdio,
};

const PASSWORD: &str = "correct horse battery";

fn send(server: &Running, head: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    write!(stream, "{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn without_its_database_the_server_reports_and_recovers() {
    let (postgres, place) = (Postgres::start(), Workplace::new());
    // Requests must not wait long for a connection.
    place.set("acquire-timeout-seconds = 5", "acquire-timeout-seconds = 1");
    let log = place.0.join("log");
    let mut command = place.command(&["serve"]);
    command.env("DATABASE_URL", postgres.url()).env("STRIPE_WEBHOOK_SECRET", "whsec_x").env("LOG_FORMAT", "json").env("RUST_LOG", "info");
    let mut server = Running::start(command.stderr(Stdio::from(fs::File::create(&log).unwrap())));
    let mut add = place.command(&["user", "add", "ops@people.example", "--role", "admin"]);
    let mut adding = add.env("DATABASE_URL", postgres.url()).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    writeln!(adding.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(adding.wait().unwrap().success());
    let json = "Content-Type: application/json\r\n";
    let login = send(&server, "POST /api/v1/auth/login", json, &format!(r#"{{"email":"ops@people.example","password":"{PASSWORD}"}}"#));
    let cookie = login.lines().find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next()).expect(&login).to_owned();
    let signed_in = format!("Cookie: {cookie}\r\n");
    assert!(send(&server, "GET /admin/webhooks", &signed_in, "").starts_with("HTTP/1.1 200"));

    postgres.kill();
    wait_until("/readyz says no", || server.get("/readyz").starts_with("HTTP/1.1 503"));
    assert!(server.get("/livez").starts_with("HTTP/1.1 200"));
    let health = server.get("/api/v1/health");
    assert!(health.starts_with("HTTP/1.1 503") && health.contains(r#""status":"down""#), "{health}");
    for path in ["/admin/webhooks", "/billing/usage"] {
        let page = send(&server, &format!("GET {path}"), &signed_in, "");
        assert!(page.starts_with("HTTP/1.1 503") && page.contains("text/html"), "{page}");
        assert!(page.contains("<h1>") && page.contains("Nothing is lost") && page.contains("retry-after: "), "{page}");
        assert!(!page.to_lowercase().contains("sqlx") && !page.contains("problem+json"), "{page}");
    }
    for path in ["/api/v1/admin/webhooks", "/api/v1/billing/invoices"] {
        let problem = send(&server, &format!("GET {path}"), &signed_in, "");
        assert!(problem.starts_with("HTTP/1.1 503") && problem.contains("application/problem+json"), "{problem}");
        assert!(problem.contains("retry-after: "), "{problem}");
    }
    // Unauthenticated requests are redirected without the database.
    assert!(server.get("/login").starts_with("HTTP/1.1 200"));

    postgres.start_again();
    wait_until("/readyz says yes", || server.get("/readyz").starts_with("HTTP/1.1 200"));
    assert!(send(&server, "GET /admin/webhooks", &signed_in, "").starts_with("HTTP/1.1 200"));
    // A job that runs each second logs the beginning and the end of the outage.
    let said = || {
        let text = fs::read_to_string(&log).unwrap();
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let of = |message: &str| lines.iter().filter(|line| line["job"] == "features" && line["message"] == message).count();
        (of("job failed"), of("job works again"))
    };
    wait_until("the job works again", || said().1 > 0);
    assert_eq!(said(), (1, 1));
    assert_eq!(server.signal(libc::SIGINT), Some(0));
}
