//! Health, features, the kill switch, and common properties of responses.

use crate::support::TestApp;
use apex_billing::{domain::role::Role, store::postgres};
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn health_and_features_are_public() {
    let app = TestApp::start().await;
    let health = app.client().get("/api/v1/health").await;
    assert_eq!(health.status, 200);
    assert_eq!(health.json()["checks"]["database"], "ok");
    assert_eq!(health.json()["version"], env!("CARGO_PKG_VERSION"));
    let features = app.client().get("/api/v1/meta/features").await;
    assert_eq!(
        features.json(),
        json!({"billingEnabled": true, "usageIngestEnabled": true, "invoicePdfEnabled": true, "customerPortalEnabled": false})
    );
    assert_eq!(app.client().get("/livez").await.status, 200);
    assert_eq!(app.client().get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_missing_database_is_reported_without_internals() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    app.db.close().await;
    let health = app.client().get("/api/v1/health").await;
    assert_eq!((health.status, &health.json()["status"]), (503, &json!("down")));
    assert_eq!(app.client().get("/readyz").await.status, 503);
    assert_eq!(app.client().get("/livez").await.status, 200);
    let problem = person.get("/api/v1/billing/usage/current").await.problem(503, "unavailable");
    assert!(!problem.to_string().to_lowercase().contains("pool"), "{problem}");
}

#[tokio::test]
async fn the_kill_switch_only_stops_billing() {
    let app = TestApp::start_with(&[("BILLING_ENABLED", "false")]).await;
    let customer = app.add_customer("lumen").await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    for path in
        ["/api/v1/billing/usage/current", "/api/v1/billing/invoices", "/api/v1/billing/invoices/7d3f2a50-0f6e-4f4e-9a55-1d1a3b6f0c11/pdf"]
    {
        let answer = person.get(path).await;
        answer.problem(503, "billing_disabled");
        assert_eq!(answer.header("retry-after"), Some("300"));
    }
    assert_eq!(app.client().get("/api/v1/meta/features").await.json()["billingEnabled"], false);
    assert_eq!(person.get("/api/v1/auth/me").await.status, 200);

    let page = person.get("/billing/usage").await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("paused") && !page.text().contains(r#"href="/billing/invoices""#), "{}", page.text());

    let event = json!({"id": "a", "metric": "impressions", "quantity": 1, "timestamp": "2026-11-22T15:49:59Z", "app_id": "app_42"});
    assert_eq!(app.machine(customer).await.post_json("/api/v1/usage/events", &event).await.status, 202);
}

#[tokio::test]
async fn every_error_is_a_problem_with_a_request_id() {
    let app = TestApp::start().await;
    app.client().get("/api/v1/nothing").await.problem(404, "not_found");
    app.client().get("/api/v2").await.problem(404, "not_found");
    app.client().send(Method::DELETE, "/api/v1/health", None, Vec::new()).await.problem(405, "method_not_allowed");
    let person = app.sign_in(Role::Publisher, Some(app.add_customer("lumen").await)).await;
    let unauthenticated = app.client().get("/api/v1/billing/invoices").await.json();
    let invalid = person.get("/api/v1/billing/invoices?limit=1e9").await.json();
    let missing = person.get("/api/v1/billing/invoices/nonsense").await.json();
    for (name, body) in [("unauthenticated", unauthenticated), ("invalid_parameter", invalid), ("not_found", missing)] {
        insta::assert_json_snapshot!(name, body, { ".request_id" => "[uuid]" });
    }
}

#[tokio::test]
async fn accepting_html_does_not_redirect_the_api() {
    let app = TestApp::start().await;
    let browser =
        app.client().with_header("accept", "text/html,application/xhtml+xml").with_header("referer", "http://127.0.0.1:3000/login");
    browser.get("/api/v1/billing/invoices").await.problem(401, "unauthenticated");
    assert_eq!(browser.get("/api/v1/meta/features").await.status, 200);
}

#[tokio::test]
async fn every_response_has_security_headers() {
    let app = TestApp::start().await;
    for path in ["/login", "/api/v1/health", "/api/v1/nothing"] {
        let answer = app.client().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(answer.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"), "{path}");
        assert!(answer.header("x-request-id").is_some() && answer.header("cache-control").is_some(), "{path}");
    }
}

#[tokio::test]
async fn migrations_go_down_and_up_again() {
    let app = TestApp::start().await;
    app.add_customer("lumen").await;
    let before = postgres::migration_status(&app.db).await.unwrap();
    assert!(before.len() >= 5 && before.iter().all(|(_, applied)| *applied));
    postgres::migrate_down(&app.db, 0).await.unwrap();
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_sqlx_migrations'")
        .fetch_one(&app.db)
        .await
        .unwrap();
    assert_eq!(tables, 0);
    postgres::migrate(&app.db).await.unwrap();
    let plans: i64 = sqlx::query_scalar("SELECT count(*) FROM plans").fetch_one(&app.db).await.unwrap();
    assert_eq!(plans, 4);
}

#[tokio::test]
async fn an_older_program_runs_on_a_newer_schema() {
    let app = TestApp::start().await;
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'of tomorrow', true, ''::bytea, 0)")
        .execute(&app.db)
        .await
        .unwrap();
    postgres::migrate(&app.db).await.unwrap();
}
