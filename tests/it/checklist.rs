//! The deployment checklist against a healthy server, and servers with one fault each.

use crate::{
    stripe::StandIn,
    support::{
        database::TestDatabase,
        program::{Running, Workplace},
        stand_in::{SECRET_KEY, TestStandIn},
    },
};
use apex_billing::{
    checklist::{self, Options, Report, Verdict, boxes},
    config::Secret,
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    http::{Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::Write,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::net::TcpListener;

/// A proxy with one fault in front of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Removes credentials.
    StripsCredentials,
    /// Adds another user's credentials.
    AddsCredentials,
    /// Removes Stripe's signature header.
    StripsSignature,
    /// Caches PDFs.
    SlowPdf,
    /// Replaces error pages.
    OwnErrorPages,
}

#[derive(Clone)]
struct Proxy {
    client: Client<HttpConnector, Body>,
    upstream: String,
    fault: Fault,
    cookie: String,
}

async fn pass(State(proxy): State<Proxy>, mut request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    *request.uri_mut() = format!("http://{}{path}", proxy.upstream).parse::<Uri>().unwrap();
    let headers = request.headers_mut();
    headers.remove(header::HOST);
    match proxy.fault {
        Fault::StripsCredentials => {
            headers.remove(header::COOKIE);
            headers.remove(header::AUTHORIZATION);
        }
        Fault::AddsCredentials if !headers.contains_key(header::AUTHORIZATION) => {
            headers.entry(header::COOKIE).or_insert(format!("auth_token={}", proxy.cookie).parse().unwrap());
        }
        Fault::StripsSignature => drop(headers.remove("stripe-signature")),
        // Longer than the limit for a PDF.
        Fault::SlowPdf if path.ends_with("/pdf") => tokio::time::sleep(Duration::from_millis(2_100)).await,
        _ => {}
    }
    let answer = proxy.client.request(request).await.unwrap();
    if proxy.fault == Fault::OwnErrorPages && answer.status() == 404 {
        return (answer.status(), "<h1>404</h1>").into_response();
    }
    answer.into_response()
}

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    serve_on(listener, app);
    format!("http://{address}")
}

fn serve_on(listener: TcpListener, app: Router) {
    tokio::spawn(async move { axum::serve(listener, app).await });
}

/// Prometheus's API with its loaded rules.
async fn prometheus(without: &'static str) -> String {
    let rules = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus/alerts.yml")).unwrap();
    let names: Vec<String> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).filter(|name| *name != without).map(str::to_owned).collect();
    let rules: Vec<Value> = names.iter().map(|name| json!({"name": name, "type": "alerting", "health": "ok"})).collect();
    let answer = json!({"status": "success", "data": {"groups": [{"name": "all", "rules": rules}]}});
    serve(Router::new().route("/api/v1/rules", get(move || std::future::ready(Json(answer.clone()))))).await
}

/// A server with the demo's customers, and all options of the checklist.
struct Deployment {
    database: TestDatabase,
    place: Workplace,
    server: Running,
    access: Value,
    options: Options,
}

impl Deployment {
    async fn start() -> Deployment {
        let database = TestDatabase::new().await;
        let place = Workplace::new();
        let demo = place.command(&["demo", "--json"]).env("DATABASE_URL", &database.url).output().unwrap();
        assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stderr));
        let access: Value = serde_json::from_slice(&demo.stdout).unwrap();
        let of = |name: &str| Some(Secret(access[name].as_str().unwrap().to_owned()));
        let mut options = Options {
            api_key: of("api_key"),
            webhook_secret: of("webhook_secret"),
            database_url: Some(Secret(database.url.clone())),
            prometheus_url: Some(prometheus("").await),
            ..Options::default()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        options.url = format!("http://{}", listener.local_addr().unwrap());
        let server = Running::start(&mut serving(&place, &database, &access, &options.url));
        serve_on(listener, proxy_to(&server.address, Fault::None, ""));
        options.metrics_url = Some(format!("http://{}/metrics", server.metrics));
        let mut deployment = Deployment { database, place, server, access, options };
        deployment.options.admin_cookie = Some(deployment.sign_in("admin").await);
        deployment.options.member_cookie = Some(deployment.sign_in("publisher").await);
        deployment
    }

    async fn restart(&mut self, variables: &[(&str, &str)]) {
        assert_eq!(self.server.signal(libc::SIGTERM), Some(0));
        self.server = Running::start(serving(&self.place, &self.database, &self.access, &self.options.url).envs(variables.iter().copied()));
        self.options.url = proxy(&self.server.address, Fault::None, "").await;
        self.options.metrics_url = Some(format!("http://{}/metrics", self.server.metrics));
    }

    async fn sign_in(&self, role: &str) -> Secret {
        let login = self.access["logins"].as_array().unwrap().iter().find(|login| login["role"] == role).unwrap();
        sign_in(&self.server.address, login["email"].as_str().unwrap(), login["password"].as_str().unwrap()).await
    }

    /// The same behind a faulty proxy.
    async fn behind(&self, fault: Fault) -> Options {
        let cookie = self.options.member_cookie.as_ref().map(|cookie| cookie.0.clone()).unwrap();
        Options { url: proxy(&self.server.address, fault, &cookie).await, ..self.options.clone() }
    }
}

/// The session's cookie.
async fn sign_in(address: &str, email: &str, password: &str) -> Secret {
    let body = json!({"email": email, "password": password}).to_string();
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::post(format!("http://{address}/api/v1/auth/login")).header("content-type", "application/json");
    let answer = client.request(request.body(Body::from(body)).unwrap()).await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    Secret(cookie.split(';').next().unwrap().split_once('=').unwrap().1.to_owned())
}

fn proxy_to(upstream: &str, fault: Fault, cookie: &str) -> Router {
    let client = Client::builder(TokioExecutor::new()).build_http();
    Router::new().fallback(pass).with_state(Proxy { client, upstream: upstream.into(), fault, cookie: cookie.into() })
}

async fn proxy(upstream: &str, fault: Fault, cookie: &str) -> String {
    serve(proxy_to(upstream, fault, cookie)).await
}

/// The server with `public_url`.
fn serving(place: &Workplace, database: &TestDatabase, access: &Value, public_url: &str) -> Command {
    let mut command = place.command(&["serve"]);
    command.env("DATABASE_URL", &database.url).env("STRIPE_WEBHOOK_SECRET", access["webhook_secret"].as_str().unwrap());
    command.env("PUBLIC_URL", public_url);
    command
}

/// Checks that fail for a server without Stripe and behind another URL.
const WITHOUT_STRIPE: [&str; 3] = ["stripe-key", "public-url", "reconcile-answer"];

fn failed(report: &Report) -> BTreeSet<&'static str> {
    let failed = report.findings().checks().filter(|check| matches!(report.findings().of(check), Some(Verdict::Failed { .. })));
    failed.filter(|check| !WITHOUT_STRIPE.contains(check)).collect()
}

async fn fails(options: &Options, expected: &[&'static str]) {
    let report = checklist::run(options).await.unwrap();
    assert_eq!(failed(&report), expected.iter().copied().collect(), "{report}");
}

#[tokio::test]
async fn boxes_and_checks_match_each_other() {
    // Nothing responds there: each check must still have a result.
    let nowhere = Options { url: "http://127.0.0.1:1".into(), ..Options::default() };
    let report = checklist::run(&nowhere).await.unwrap();
    let named: BTreeSet<String> = boxes().into_iter().filter_map(|item| item.check).collect();
    let known: BTreeSet<String> = report.findings().checks().map(str::to_owned).collect();
    assert_eq!(named, known);
    assert!(named.len() >= 60 && report.counts().passed == 0, "{report}");
    // The boxes of the original checklist, without those of the second program.
    assert_eq!(boxes().len(), 130);
    assert!(checklist::run(&Options { url: "ftp://x".into(), ..Options::default() }).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_server_fails_no_box_and_stores_nothing() {
    let deployment = Deployment::start().await;
    let report = checklist::run(&Options { switch_billing: true, ..deployment.options.clone() }).await.unwrap();
    assert_eq!(failed(&report), BTreeSet::new(), "{report}");
    for check in ["public-url", "features-on", "off-503", "off-navigation", "off-rest"] {
        assert!(matches!(report.findings().of(check), Some(Verdict::Passed(_))), "{check}: {report}");
    }
    // Without any applied event, the failure rate is unknown.
    assert!(matches!(report.findings().of("webhook-success-rate"), Some(Verdict::Unchecked(_))), "{report}");
    let pings: i64 = sqlx::query_scalar("SELECT count(*) FROM stripe_webhook_events WHERE event_type = 'apex.checklist_ping'")
        .fetch_one(&deployment.database.pool)
        .await
        .unwrap();
    let usage: i64 = sqlx::query_scalar("SELECT coalesce(sum(quantity), 0)::bigint FROM usage_records WHERE app_id = 'apex_checklist'")
        .fetch_one(&deployment.database.pool)
        .await
        .unwrap();
    assert_eq!((pings, usage), (0, 0));
    let json = report.to_json();
    assert_eq!(json["boxes"].as_array().unwrap().len(), boxes().len());

    // The command: secrets in the environment, one failing box, exit code 1.
    let options = &deployment.options;
    let secret = |secret: &Option<Secret>| secret.as_ref().unwrap().0.clone();
    let output = deployment
        .place
        .command(&["checklist", "--url", &options.url])
        .env("CHECKLIST_ADMIN_COOKIE", secret(&options.admin_cookie))
        .env("CHECKLIST_MEMBER_COOKIE", secret(&options.member_cookie))
        .env("CHECKLIST_API_KEY", secret(&options.api_key))
        .env("STRIPE_WEBHOOK_SECRET", secret(&options.webhook_secret))
        .env("CHECKLIST_DATABASE_URL", secret(&options.database_url))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    for line in [
        "## Post-Deployment Testing",
        "#### 4. Webhook Handler",
        "[x] Duplicate events rejected (repeated: answered 200, duplicate: true)",
        "[ ] `STRIPE_SECRET_KEY=sk_live_...` (production key)",
        "[?] Webhook signature verification failures (> 5/hour)",
        "[-] Penetration testing performed",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let said = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
    for hidden in [&options.admin_cookie, &options.member_cookie, &options.api_key, &options.webhook_secret, &options.database_url] {
        assert!(!said.contains(&secret(hidden)));
    }
    let bad = deployment.place.command(&["checklist"]).output().unwrap();
    assert_eq!(bad.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_faulty_server_fails_exactly_its_faulty_boxes() {
    let mut deployment = Deployment::start().await;
    let good = deployment.options.clone();

    fails(&Options { webhook_secret: Some(Secret("whsec_other".into())), ..good.clone() }, &["webhook-accepted"]).await;
    fails(&Options { metrics_url: Some(good.url.clone() + "/metrics"), ..good.clone() }, &["metrics", "webhook-success-rate"]).await;
    fails(&Options { prometheus_url: Some(prometheus("ApiErrors").await), ..good.clone() }, &["alert-apierrors"]).await;
    fails(&Options { member_cookie: good.admin_cookie.clone(), ..good.clone() }, &["auth-roles", "reconcile-forbidden"]).await;

    fails(&deployment.behind(Fault::StripsSignature).await, &["webhook-accepted", "webhook-refused"]).await;
    fails(&deployment.behind(Fault::AddsCredentials).await, &["auth-required", "homepage", "invoices-401", "usage-401"]).await;
    fails(&deployment.behind(Fault::SlowPdf).await, &["pdf-time"]).await;
    fails(&deployment.behind(Fault::OwnErrorPages).await, &["errors-friendly"]).await;
    fails(
        &deployment.behind(Fault::StripsCredentials).await,
        &[
            "auth-roles",
            "errors-friendly",
            "invoices-answer",
            "invoices-filter",
            "invoices-pagination",
            "latency-invoices",
            "latency-usage",
            "navigation",
            "page-invoices",
            "page-time",
            "page-usage",
            "page-usage-metrics",
            "reconcile-forbidden",
            "usage-answer",
            "usage-fields",
            "usage-sent",
        ],
    )
    .await;

    let db = deployment.database.pool.clone();
    sqlx::query("DROP INDEX invoices_customer_created").execute(&db).await.unwrap();
    fails(&good, &["indexes"]).await;
    sqlx::query("CREATE INDEX invoices_customer_created ON invoices (customer_id, created_at DESC, id)").execute(&db).await.unwrap();
    sqlx::query("ALTER TABLE stripe_alerts RENAME TO stripe_alerts_lost").execute(&db).await.unwrap();
    fails(&good, &["tables"]).await;
    sqlx::query("ALTER TABLE stripe_alerts_lost RENAME TO stripe_alerts").execute(&db).await.unwrap();
    let newest = "(SELECT abs(version) FROM _sqlx_migrations ORDER BY abs(version) DESC LIMIT 1)";
    // Hidden, and restored.
    for expected in [&["migrations"][..], &[]] {
        let version = format!("UPDATE _sqlx_migrations SET version = -version WHERE abs(version) = {newest}");
        sqlx::query(sqlx::AssertSqlSafe(version)).execute(&db).await.unwrap();
        fails(&good, expected).await;
    }
    let other = TestDatabase::new().await;
    fails(
        &Options { database_url: Some(Secret(other.url.clone())), ..good.clone() },
        &["database-same", "usage-records", "webhook-stored"],
    )
    .await;

    deployment.restart(&[("BILLING_ENABLED", "false")]).await;
    let report = checklist::run(&deployment.options).await.unwrap();
    let off = failed(&report);
    assert!(off.is_superset(&["features-on", "usage-answer", "usage-401", "invoices-answer", "navigation"].into()), "{report}");
    for check in ["off-503", "off-navigation", "off-rest", "webhook-accepted", "webhook-duplicate", "health"] {
        assert!(matches!(report.findings().of(check), Some(Verdict::Passed(_))), "{check}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_stripe_every_automatic_box_passes() {
    let stand_in = StandIn::listen("127.0.0.1:0", SECRET_KEY, time::OffsetDateTime::now_utc).await.unwrap();
    stand_in.seed_customer("lumen");
    stand_in.seed_invoices("cus_lumen", 12);
    let (database, place) = (TestDatabase::new().await, Workplace::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let command = |args: &[&str]| {
        let mut command = place.command(args);
        command.env("DATABASE_URL", &database.url).env("STRIPE_SECRET_KEY", SECRET_KEY).env("STRIPE_API_BASE", stand_in.base_url());
        command.env("STRIPE_WEBHOOK_SECRET", "whsec_of_this_test").env("PUBLIC_URL", &url);
        command
    };
    let run = |args: &[&str], input: &str| {
        let mut child = command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{args:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let customer =
        run(&["customer", "add", "--stripe-id", "cus_lumen", "--name", "Lumen", "--email", "a@lumen.example", "--currency", "usd"], "");
    let password = "a long password of this test";
    run(&["user", "add", "publisher@lumen.example", "--role", "publisher", "--customer", &customer], password);
    run(&["user", "add", "admin@apex.example", "--role", "admin"], password);
    let key = run(&["api-key", "create", "--customer", &customer, "--name", "checklist"], "");
    run(&["webhooks", "backfill", "--full"], "");
    let server = Running::start(&mut command(&["serve"]));
    serve_on(listener, proxy_to(&server.address, Fault::None, ""));
    let options = Options {
        metrics_url: Some(format!("http://{}/metrics", server.metrics)),
        admin_cookie: Some(sign_in(&server.address, "admin@apex.example", password).await),
        member_cookie: Some(sign_in(&server.address, "publisher@lumen.example", password).await),
        api_key: Some(Secret(key)),
        webhook_secret: Some(Secret("whsec_of_this_test".into())),
        database_url: Some(Secret(database.url.clone())),
        prometheus_url: Some(prometheus("").await),
        switch_billing: true,
        url,
    };
    let report = checklist::run(&options).await.unwrap();
    // Its invoices were fetched from Stripe, without webhooks.
    let rest: Vec<_> =
        report.findings().checks().filter(|check| !matches!(report.findings().of(check), Some(Verdict::Passed(_)))).collect();
    assert_eq!(rest, ["invoice-webhook", "webhook-success-rate"], "{report}");
}
