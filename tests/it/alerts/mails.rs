//! Mails about alerts: each alert to all recipients, also after errors of the mail server.

use super::{one, subscribed, use_impressions};
use crate::support::{
    TestApp,
    smtp::{Mood, SmtpServer},
};
use apex_billing::{
    domain::{identity::CustomerId, role::Role},
    service::alerts,
    store::postgres::alerts as store,
};
use axum::http::Method;
use serde_json::json;
use time::Duration;

async fn over_the_plan(server: &SmtpServer) -> (TestApp, CustomerId) {
    let app = TestApp::start_with(&[("SMTP_URL", &server.url()), ("PUBLIC_URL", "https://billing.example.com")]).await;
    let customer = subscribed(&app, "lumen").await;
    use_impressions(&app, customer, "a", 1_000_001).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 3);
    (app, customer)
}

async fn name_recipients(app: &TestApp, customer: CustomerId, recipients: &[&str]) {
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let body = json!({"recipients": recipients}).to_string().into_bytes();
    assert_eq!(person.send(Method::PUT, "/api/v1/billing/alerts", Some("application/json"), body).await.status, 200);
}

async fn send(app: &TestApp) -> usize {
    alerts::send_owed(&app.platform, 100).await.unwrap()
}

#[tokio::test]
async fn one_mail_has_thresholds_usage_and_period_end() {
    let server = SmtpServer::start();
    let (app, _) = over_the_plan(&server).await;
    assert_eq!(send(&app).await, 3);
    let mails = server.received();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["billing@lumen.example"]);
    for text in [
        "From: billing@billing.example.com",
        "Subject: Usage alerts for lumen: 3 thresholds reached",
        "Message-ID: <usage-alert-3@billing.example.com>",
        "- Impressions: 80% of the included 1,000,000 is reached, 1,000,001 used.",
        "Overage has cost $0.10 so far.",
        "The billing period ends on 1 Dec 2026, 00:00 UTC.",
        "https://billing.example.com/billing/settings",
    ] {
        let unfolded = mails[0].text.replace("=\n", "");
        assert!(unfolded.contains(text), "{text} in {unfolded}");
    }
    assert_eq!(send(&app).await, 0);
    app.advance(Duration::days(1));
    assert_eq!((send(&app).await, server.received().len()), (0, 1));
    assert_eq!(one(&app, "SELECT count(notified_at)::text FROM usage_alerts").await, "3");
    for table in ["billing_audit", "events"] {
        let count: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table} WHERE event_type = 'usage_alert.notified'")))
                .fetch_one(&app.db)
                .await
                .unwrap();
        assert_eq!(count, 1, "{table}");
    }
}

#[tokio::test]
async fn an_unavailable_mail_server_loses_no_mail() {
    let server = SmtpServer::start();
    let (app, _) = over_the_plan(&server).await;
    server.set(Mood::Busy);
    assert_eq!(send(&app).await, 0);
    assert!(one(&app, "SELECT DISTINCT last_error FROM usage_alerts").await.contains("too busy"));
    server.set(Mood::Takes);
    // Not before the end of the delay, which doubles.
    assert_eq!(send(&app).await, 0);
    app.advance(Duration::seconds(61));
    server.set(Mood::Busy);
    assert_eq!(send(&app).await, 0);
    server.set(Mood::Takes);
    app.advance(Duration::seconds(61));
    assert_eq!(send(&app).await, 0);
    app.advance(Duration::seconds(60));
    assert_eq!((send(&app).await, server.received().len()), (3, 1));
    assert_eq!(one(&app, "SELECT DISTINCT concat(attempts, last_error) FROM usage_alerts").await, "3");
}

#[tokio::test]
async fn an_unreachable_server_is_retried_for_three_days() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let app = TestApp::start_with(&[("SMTP_URL", &format!("smtp://app:hunter2@{gone}"))]).await;
    let customer = subscribed(&app, "lumen").await;
    use_impressions(&app, customer, "a", 800_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    let mut tries = 0;
    for _ in 0..(4 * 24) {
        send(&app).await;
        app.advance(Duration::HOUR);
        let now: i32 = sqlx::query_scalar("SELECT attempts FROM usage_alerts").fetch_one(&app.db).await.unwrap();
        tries = now.max(tries);
    }
    assert!((60..=80).contains(&tries), "{tries}");
    let error = one(&app, "SELECT last_error FROM usage_alerts").await;
    assert!(!error.contains("hunter2") && error.len() <= 300, "{error}");
}

#[tokio::test]
async fn one_failed_recipient_gives_others_no_second_copy() {
    let server = SmtpServer::start();
    let (app, customer) = over_the_plan(&server).await;
    name_recipients(&app, customer, &["a@one.example", "b@two.example"]).await;
    server.set(Mood::Refuses("a@one.example"));
    assert_eq!(send(&app).await, 0);
    app.advance(Duration::minutes(5));
    assert_eq!(send(&app).await, 0);
    let to = |server: &SmtpServer| server.received().into_iter().flat_map(|mail| mail.to).collect::<Vec<_>>();
    assert_eq!(to(&server), ["b@two.example"]);
    server.set(Mood::Takes);
    app.advance(Duration::minutes(5));
    assert_eq!(send(&app).await, 3);
    assert_eq!(to(&server), ["b@two.example", "a@one.example"]);
}

#[tokio::test]
async fn a_crash_while_sending_is_retried() {
    let server = SmtpServer::start();
    let (app, _) = over_the_plan(&server).await;
    let taken = store::take_owed(&app.db, app.now(), app.now() - Duration::DAY, 100).await.unwrap();
    assert_eq!(taken.len(), 3);
    drop(taken);
    assert_eq!(send(&app).await, 0);
    app.advance(Duration::seconds(60));
    assert_eq!((send(&app).await, server.received().len()), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_senders_send_one_mail() {
    let server = SmtpServer::start();
    let (app, _) = over_the_plan(&server).await;
    let settled: usize =
        futures::future::join_all((0..8).map(|_| alerts::send_owed(&app.platform, 100))).await.into_iter().map(Result::unwrap).sum();
    assert_eq!((settled, server.received().len()), (3, 1));
}

#[tokio::test]
async fn without_recipients_billing_contacts_are_notified() {
    let server = SmtpServer::start();
    let (app, customer) = over_the_plan(&server).await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    for email in ["keiri@lumen.example", "cfo@lumen.example"] {
        assert_eq!(person.post_json("/api/v1/billing/contacts", &json!({"email": email})).await.status, 201);
    }
    assert_eq!(send(&app).await, 3);
    let to: Vec<String> = server.received().into_iter().flat_map(|mail| mail.to).collect();
    assert_eq!(to, ["cfo@lumen.example", "keiri@lumen.example"]);
}

#[tokio::test]
async fn without_a_mail_server_mails_are_logged() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    use_impressions(&app, customer, "a", 800_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    assert_eq!(send(&app).await, 1);
}
