//! A full disk is reported as such.

use super::*;
use axum::http::Method;

/// Makes PostgreSQL refuse every write to a table, as with a full disk.
async fn fill_the_disk(app: &TestApp) {
    sqlx::raw_sql(
        "CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'could not extend file \"base/1\": No space left on device' USING ERRCODE = 'disk_full'; END $$;
         DO $$ DECLARE known text; BEGIN
             FOR known IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
                 EXECUTE format('CREATE TRIGGER disk_is_full BEFORE INSERT OR UPDATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION disk_is_full()', known);
             END LOOP;
         END $$",
    )
    .execute(&app.db)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_full_disk_is_a_503_and_reads_still_work() {
    let app = TestApp::start().await;
    let (customer, person) = publisher(&app, "lumen").await;
    let (machine, staff) = (app.machine(customer).await, app.sign_in(Role::Admin, None).await);
    let events = october("cus_lumen", Outcome::Paid);
    assert_eq!(app.client().get("/readyz").await.status, 200);
    fill_the_disk(&app).await;

    let event =
        |id: &str| json!({"id": id, "metric": "impressions", "quantity": 1, "timestamp": "2026-11-22T15:49:59Z", "app_id": "app_42"});
    let many: Vec<Value> = (0..2_000).map(|number| event(&number.to_string())).collect();
    let alerts = json!({"thresholds": [], "recipients": []}).to_string().into_bytes();
    let mut answers = vec![
        machine.post_json("/api/v1/usage/events", &event("one")).await,
        machine.post_json("/api/v1/usage/events", &json!(many)).await,
        person.post_json("/api/v1/billing/contacts", &json!({"email": "ada@lumen.example"})).await,
        person.post_json("/api/v1/billing/api-keys", &json!({"name": "mediation"})).await,
        log_in(&app.client(), OPS, PASSWORD).await,
        staff.clone().with_header("idempotency-key", "k").post_json("/api/v1/billing/reconcile", &json!({})).await,
        staff.post_json("/api/v1/admin/view-as", &json!({"customer_id": customer})).await,
        app.post_webhook(&events[0].to_string()).await,
    ];
    let put = person.send(Method::PUT, "/api/v1/billing/alerts", Some("application/json"), alerts).await;
    if put.status != 422 {
        answers.push(put);
    }
    for answer in &answers {
        let problem = answer.problem(503, "storage_full");
        assert!(problem["detail"].as_str().unwrap().contains("nothing in this request was stored"), "{problem}");
        assert_eq!(answer.header("retry-after"), Some("60"));
        assert!(!problem.to_string().contains("base/1"), "{problem}");
    }
    // Also after a minute, when a session's last use is written.
    app.advance(Duration::minutes(2));
    for path in ["/api/v1/billing/invoices", "/billing/invoices", "/api/v1/billing/usage/current"] {
        assert_eq!(person.get(path).await.status, 200, "{path}");
    }
    let health = app.client().get("/api/v1/health").await;
    assert_eq!((health.status, &health.json()["status"], &health.json()["checks"]["database"]), (503, &json!("down"), &json!("down")));
    assert_eq!((app.client().get("/readyz").await.status, app.client().get("/livez").await.status), (503, 200));
}

#[tokio::test]
async fn other_missing_resources_are_unavailable() {
    let app = TestApp::start().await;
    let (_, person) = publisher(&app, "lumen").await;
    for state in ["53000", "53200", "53300", "53400"] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "CREATE OR REPLACE FUNCTION lacking() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$;
             CREATE OR REPLACE TRIGGER lacking BEFORE INSERT ON billing_contacts FOR EACH STATEMENT EXECUTE FUNCTION lacking()"
        )))
        .execute(&app.db)
        .await
        .unwrap();
        let answer = person.post_json("/api/v1/billing/contacts", &json!({"email": "ada@lumen.example"})).await;
        answer.problem(503, "unavailable");
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(app.client().get("/readyz").await.status, 200);
}
