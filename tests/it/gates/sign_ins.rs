//! Floods of logins: each one counts, none holds shared resources, and the audit log stays bounded.

use super::*;
use apex_billing::service::audit::refusals;
use futures::{StreamExt, stream::FuturesUnordered};
use sqlx::{Connection, Executor, PgConnection};

async fn audited(app: &TestApp, event_type: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM billing_audit WHERE event_type = $1").bind(event_type).fetch_one(&app.db).await.unwrap()
}

#[tokio::test]
async fn an_overlong_password_counts_as_wrong() {
    let app = TestApp::start().await;
    users::put(&app.platform, OPS, PASSWORD, Role::Admin, None).await.unwrap();
    let client = app.client().from("192.0.2.10");
    for _ in 0..5 {
        log_in(&client, OPS, &"x".repeat(1_025)).await.problem(401, "invalid_credentials");
    }
    log_in(&client, OPS, PASSWORD).await.problem(429, "login_throttled");
    let other = app.client().from("192.0.2.11");
    for number in 0..30 {
        log_in(&other, &format!("{number}{}", "e".repeat(321)), "x").await.problem(401, "invalid_credentials");
    }
    log_in(&other, OPS, PASSWORD).await.problem(429, "login_throttled");
    let longest: i32 = sqlx::query_scalar("SELECT max(length(actor)) FROM billing_audit").fetch_one(&app.db).await.unwrap();
    assert!(longest <= 320, "{longest}");
}

#[tokio::test]
async fn unauthenticated_clients_add_bounded_audit_rows() {
    let app = TestApp::start().await;
    let endless = "x".repeat(2_000);
    for address in 0..26 {
        let client = app.client().from(&format!("203.0.113.{address}"));
        for account in 0..22 {
            log_in(&client, &format!("{account}@{address}.example"), &endless).await.problem(401, "invalid_credentials");
        }
    }
    assert_eq!(audited(&app, "session.refused").await, 500);
    let one: i64 =
        sqlx::query_scalar("SELECT count(*) FROM billing_audit WHERE event_type = 'session.refused' AND ip_address = '203.0.113.1'")
            .fetch_one(&app.db)
            .await
            .unwrap();
    assert_eq!(one, 20);
    // Invalid keys share the limit.
    let guesser = app.client().from("203.0.113.1").with_header("authorization", "Bearer apex_nothing");
    guesser.get("/api/v1/billing/invoices").await.problem(401, "unauthenticated");
    app.platform.incidents.settled().await;
    assert_eq!(audited(&app, "access.refused").await, 0);

    refusals::summarize(&app.platform).await.unwrap();
    assert_eq!(audited(&app, "access.refused_more").await, 0, "the hour is not over");
    app.advance(Duration::hours(1));
    refusals::summarize(&app.platform).await.unwrap();
    let data: Value =
        sqlx::query_scalar("SELECT data FROM billing_audit WHERE event_type = 'access.refused_more'").fetch_one(&app.db).await.unwrap();
    assert_eq!(data["count"], 26 * 22 - 500 + 1);
    assert!(data["most"].as_array().unwrap().len() <= 10, "{data}");
    refusals::summarize(&app.platform).await.unwrap();
    assert_eq!(audited(&app, "access.refused_more").await, 1);
    log_in(&app.client().from("203.0.113.1"), OPS, &endless).await;
    assert_eq!(audited(&app, "session.refused").await, 501, "the next hour has its own share");
}

#[tokio::test]
async fn queued_logins_hold_no_database_connection() {
    let app = TestApp::start().await;
    let (_, person) = publisher(&app, "lumen").await;
    let mut blocker = PgConnection::connect(app.database_url()).await.unwrap();
    blocker.execute("BEGIN; LOCK TABLE login_failures IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let flood = |address: String, many: usize| {
        let client = app.client().from(&address);
        (0..many).map(move |number| {
            let client = client.clone();
            tokio::spawn(async move { log_in(&client, &format!("{number}@people.example"), &"x".repeat(2_000)).await })
        })
    };
    let mut attempts: FuturesUnordered<_> = flood("192.0.2.10".into(), 60).collect();
    // Its share of the queue is full; the rest is refused at once.
    for _ in 0..28 {
        attempts.next().await.unwrap().unwrap().problem(429, "rate_limited");
    }
    let busy = (0..4).flat_map(|address| flood(format!("192.0.2.{address}"), 32)).collect::<FuturesUnordered<_>>();
    let mut busy = busy;
    for _ in 0..32 {
        let answer = busy.next().await.unwrap().unwrap();
        answer.problem(503, "busy");
        assert!(answer.header("retry-after").is_some());
    }
    for _ in 0..20 {
        assert_eq!(person.get("/api/v1/billing/invoices").await.status, 200, "others go on");
    }
    blocker.execute("ROLLBACK").await.unwrap();
    while let Some(answer) = attempts.next().await {
        assert!(matches!(answer.unwrap().status, 401 | 429));
    }
    while let Some(answer) = busy.next().await {
        assert!(matches!(answer.unwrap().status, 401 | 429));
    }
}
