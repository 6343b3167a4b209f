//! Refusals and failures are audited once a minute, without delaying responses.

use crate::support::{Client, TestApp};
use apex_billing::{domain::role::Role, jobs, service};
use serde_json::{Value, json};
use std::time::Instant;
use time::Duration;
use tokio_util::sync::CancellationToken;

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Row {
    event_type: String,
    actor: String,
    customer: Option<String>,
    data: Value,
    ip_address: Option<String>,
    user_agent: Option<String>,
}

/// Audited refusals and failures, once no write is running.
async fn audited(app: &TestApp) -> Vec<Row> {
    app.platform.incidents.settled().await;
    sqlx::query_as(
        "SELECT event_type, actor, customers.name AS customer, data, ip_address, user_agent
         FROM billing_audit LEFT JOIN customers ON customers.id = customer_id
         WHERE event_type IN ('access.refused', 'error') ORDER BY billing_audit.id",
    )
    .fetch_all(&app.db)
    .await
    .unwrap()
}

fn known(client: Client) -> Client {
    client.from("192.0.2.9").with_header("user-agent", "tests/1")
}

#[tokio::test]
async fn refusals_are_audited_once_a_minute_and_route() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let person = known(app.sign_in(Role::Publisher, Some(customer)).await);
    let mut last = String::new();
    for _ in 0..3 {
        person.get("/api/v1/admin/audit?q=secret-word").await.problem(403, "forbidden");
    }
    let rows = audited(&app).await;
    let [row] = rows.as_slice() else { panic!("{rows:#?}") };
    assert_eq!((row.event_type.as_str(), row.customer.as_deref()), ("access.refused", Some("lumen")));
    assert_eq!(row.actor, format!("publisher-{customer}@people.example"));
    assert_eq!((row.ip_address.as_deref(), row.user_agent.as_deref()), (Some("192.0.2.9"), Some("tests/1")));
    assert_eq!((&row.data["method"], &row.data["route"]), (&json!("GET"), &json!("/api/v1/admin/audit")));
    assert_eq!((&row.data["status"], &row.data["code"]), (&json!(403), &json!("forbidden")));
    assert!(row.data["request_id"].as_str().is_some_and(|id| id.len() == 36), "{row:?}");
    last.push_str(&row.data.to_string());
    assert!(!last.contains("secret-word"), "{last}");

    // Another route, a page, another parameter: the page counts like the API, and parameters don't
    // make a new route.
    person.get("/admin/audit").await;
    for id in ["evt_1", "evt_2"] {
        person.get(&format!("/api/v1/admin/webhooks/{id}")).await.problem(403, "forbidden");
    }
    let rows = audited(&app).await;
    let mut routes: Vec<&str> = rows[1..].iter().map(|row| row.data["route"].as_str().unwrap()).collect();
    routes.sort_unstable();
    assert_eq!(routes, ["/admin/audit", "/api/v1/admin/webhooks/{id}"]);
    app.advance(Duration::minutes(1));
    person.get("/api/v1/admin/audit").await.problem(403, "forbidden");
    assert_eq!(audited(&app).await.len(), 4);

    let machine = known(app.machine(customer).await);
    machine.get("/api/v1/admin/audit").await.problem(403, "forbidden");
    assert_eq!(audited(&app).await[4].actor, "api_key:tests");
}

#[tokio::test]
async fn invalid_keys_are_audited_by_prefix_and_address() {
    let app = TestApp::start().await;
    let key = format!("apex_{}", "0123456789abcdef".repeat(4));
    let with =
        |value: &str, address: &str| app.client().with_header("authorization", value).with_header("user-agent", "tests/1").from(address);
    for _ in 0..2 {
        with(&format!("Bearer {key}"), "192.0.2.9").get("/api/v1/billing/invoices").await.problem(401, "unauthenticated");
    }
    with("Bearer whsec_somebodys_other_secret", "192.0.2.10").get("/api/v1/billing/invoices").await.problem(401, "unauthenticated");
    // Unauthenticated requests are not audited.
    app.client().get("/api/v1/billing/invoices").await.problem(401, "unauthenticated");
    let mut rows = audited(&app).await;
    rows.sort_by(|a, b| a.ip_address.cmp(&b.ip_address));
    let [other, known] = rows.as_slice() else { panic!("{rows:#?}") };
    assert_eq!(
        (known.event_type.as_str(), known.actor.as_str(), known.ip_address.as_deref()),
        ("access.refused", "anonymous", Some("192.0.2.9"))
    );
    assert_eq!((&known.data["key_prefix"], &known.data["status"]), (&json!("apex_01234567"), &json!(401)));
    assert_eq!((other.ip_address.as_deref(), &other.data["key_prefix"]), (Some("192.0.2.10"), &Value::Null));
    let all = format!("{rows:?}");
    assert!(!all.contains(&key) && !all.contains("somebodys_other"), "{all}");
}

#[tokio::test]
async fn failures_are_errors_and_switched_off_is_not() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let person = known(app.sign_in(Role::Publisher, Some(customer)).await);
    sqlx::query("ALTER TABLE usage_customer_metric_hours RENAME TO elsewhere").execute(&app.db).await.unwrap();
    let problem = person.get("/api/v1/billing/usage/current").await.problem(500, "internal");
    let rows = audited(&app).await;
    let [row] = rows.as_slice() else { panic!("{rows:#?}") };
    assert_eq!((row.event_type.as_str(), row.customer.as_deref(), row.ip_address.as_deref()), ("error", Some("lumen"), Some("192.0.2.9")));
    assert_eq!((&row.data["status"], &row.data["request_id"]), (&json!(500), &problem["request_id"]));
    assert!(!row.data.to_string().contains("usage_customer_metric_hours"), "the cause is for the log: {row:?}");

    let staff = app.sign_in(Role::Admin, None).await;
    let off = json!({"enabled": false}).to_string().into_bytes();
    let answer = staff.send(axum::http::Method::PUT, "/api/v1/admin/features/billingEnabled", Some("application/json"), off).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    person.get("/api/v1/billing/invoices").await.problem(503, "billing_disabled");
    assert_eq!(audited(&app).await.len(), 1);
}

#[tokio::test]
async fn failed_jobs_are_audited_once_a_minute() {
    let app = TestApp::start().await;
    let error = service::Error::Internal(anyhow::anyhow!("{}", "the disk is full ".repeat(100)));
    for _ in 0..3 {
        service::audit::job_failed(&app.platform, "ship", &error);
    }
    service::audit::job_failed(&app.platform, "meters", &service::Error::Busy);
    let rows = audited(&app).await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    let ship = rows.iter().find(|row| row.data["job"] == "ship").unwrap();
    assert_eq!((ship.event_type.as_str(), ship.actor.as_str(), &ship.data["code"]), ("error", "system", &json!("internal")));
    let text = ship.data["error"].as_str().unwrap();
    assert!(text.starts_with("the disk is full") && text.len() == 500, "{text}");

    // The scheduler audits it.
    sqlx::query("ALTER TABLE features RENAME TO elsewhere").execute(&app.db).await.unwrap();
    let stop = CancellationToken::new();
    let (_, running) = jobs::start(&app.platform, stop.clone());
    let patience = tokio::time::timeout(std::time::Duration::from_secs(60), async {
        while !audited(&app).await.iter().any(|row| row.data["job"] == "features") {
            tokio::task::yield_now().await;
        }
    });
    patience.await.expect("the failed job is audited");
    stop.cancel();
    running.finish().await;
}

#[tokio::test]
async fn an_unavailable_database_delays_no_response() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    app.db.close().await;
    let before = Instant::now();
    for minute in 0..20 {
        service::audit::job_failed(&app.platform, "ship", &service::Error::Busy);
        let answer = app.client().from(&format!("192.0.2.{minute}")).get("/api/v1/health").await;
        assert_eq!(answer.status, 503);
        assert!(person.get("/api/v1/billing/invoices").await.status >= 500);
        app.advance(Duration::minutes(1));
    }
    app.platform.incidents.settled().await;
    assert!(before.elapsed().as_secs() < 60, "{:?}", before.elapsed());
}
