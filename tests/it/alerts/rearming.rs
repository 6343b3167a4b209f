//! Re-armed thresholds fire again, and pages show the current state.

use super::{FIRED, event, one, steady_month, subscribed, use_impressions};
use crate::support::TestApp;
use apex_billing::{
    domain::{identity::CustomerId, role::Role},
    service::alerts,
};
use serde_json::{Value, json};

async fn upgrade(app: &TestApp, customer: CustomerId, plan: &str) {
    sqlx::query("UPDATE subscriptions SET plan_type = $2 WHERE customer_id = $1")
        .bind(customer.0)
        .bind(plan)
        .execute(&app.db)
        .await
        .unwrap();
}

const ROUNDS: &str = "SELECT string_agg(concat(threshold, ' of ', included, ' ', round, CASE WHEN rearmed_at IS NULL THEN '' ELSE ' gone' END), ', ' ORDER BY id)
                      FROM usage_alerts";

#[tokio::test]
async fn another_plan_makes_other_thresholds() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    use_impressions(&app, customer, "a", 1_200_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 4);
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let page = async || super::standing::section(&person.get("/billing/usage").await.text());
    assert!(page().await.contains("110% of 1,000,000 included Reached 22 Nov 2026, 15:50"), "{}", page().await);

    // 12% of the new plan: nothing is reached, at once and after the job's next run.
    upgrade(&app, customer, "growth").await;
    for fired in [0, 0] {
        let shown = page().await;
        assert!(shown.contains("110% of 1,000,000 included Reached earlier 22 Nov 2026, 15:50"), "{shown}");
        assert!(!shown.contains("Reached 22") && !shown.contains("80%") && !shown.contains("10,000,000"), "{shown}");
        assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), fired);
    }
    use_impressions(&app, customer, "b", 7_000_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    use_impressions(&app, customer, "c", 5_000_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 3);
    let shown = page().await;
    for row in [
        "110% of 10,000,000 included Reached 22 Nov",
        "80% of 10,000,000 included Reached 22 Nov",
        "110% of 1,000,000 included Reached earlier",
    ] {
        assert!(shown.contains(row), "{row} in {shown}");
    }
    assert_eq!(
        one(&app, ROUNDS).await,
        "80 of 1000000 0 gone, 90 of 1000000 0 gone, 100 of 1000000 0 gone, 110 of 1000000 0 gone, \
         80 of 10000000 1, 90 of 10000000 1, 100 of 10000000 1, 110 of 10000000 1"
    );
    assert_eq!(
        one(&app, "SELECT (data->'usage_alerts')::text FROM billing_audit WHERE event_type = 'usage_alert.rearmed'").await,
        "[1, 2, 3, 4]"
    );
    // Each alert is in the API's response, with the included quantity at that time.
    let fired = person.get("/api/v1/billing/alerts/fired").await.json();
    let rearmed: Vec<bool> = fired["alerts"].as_array().unwrap().iter().map(|alert| alert["rearmed_at"].is_string()).collect();
    assert_eq!(rearmed, [false, false, false, false, true, true, true, true]);
}

#[tokio::test]
async fn a_correction_below_a_threshold_rearms_it() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    let machine = app.machine(customer).await;
    use_impressions(&app, customer, "a", 850_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    let mut fix = event(&app, "fix", "impressions", 100_000);
    fix["corrects"] = "a".into();
    // Below and above again in one request, before the job runs.
    let body = json!([fix, event(&app, "b", "impressions", 800_000)]);
    assert_eq!(machine.post_json("/api/v1/usage/events", &body).await.json()["accepted"], 2);
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 2);
    assert_eq!(one(&app, ROUNDS).await, "80 of 1000000 0 gone, 80 of 1000000 1, 90 of 1000000 0");
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 0);
    // A correction that leaves it reached has no effect.
    let mut less = event(&app, "less", "impressions", 99_000);
    less["corrects"] = "a".into();
    assert_eq!(machine.post_json("/api/v1/usage/events", &less).await.json()["accepted"], 1);
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 0);
}

#[tokio::test]
async fn a_missing_plan_rearms_nothing() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    use_impressions(&app, customer, "a", 850_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    for status in ["canceled", "active"] {
        sqlx::query("UPDATE subscriptions SET status = $1").bind(status).execute(&app.db).await.unwrap();
        assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 0, "{status}");
    }
    assert_eq!(one(&app, ROUNDS).await, "80 of 1000000 0");
}

#[tokio::test]
async fn alerts_are_dated_by_usage() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    // 900,000 by 5 November, detected on the 22nd.
    for (hour, quantity) in [("2026-11-03 10:00Z", 500_000_i64), ("2026-11-05 07:00Z", 399_999), ("2026-11-20 08:00Z", 2)] {
        sqlx::query(
            "INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of)
             VALUES ($1, 'impressions', $2::timestamptz, 'a', $3, 1, $2::timestamptz + interval '42 minutes')",
        )
        .bind(customer.0)
        .bind(hour)
        .bind(quantity)
        .execute(&app.db)
        .await
        .unwrap();
    }
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 2);
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let fired = person.get("/api/v1/billing/alerts/fired").await.json()["alerts"].clone();
    let times = |alert: &Value| (alert["threshold"].clone(), alert["crossed_at"].clone(), alert["fired_at"].clone());
    assert_eq!(times(&fired[0]), (json!(90), json!("2026-11-20T08:42:00Z"), json!("2026-11-22T15:50:00Z")));
    assert_eq!(times(&fired[1]), (json!(80), json!("2026-11-05T07:42:00Z"), json!("2026-11-22T15:50:00Z")));
    let shown = super::standing::section(&person.get("/billing/usage").await.text());
    assert!(shown.contains("80% of 1,000,000 included Reached 5 Nov 2026, 07:42"), "{shown}");
    let html = person.get("/billing/settings").await.page();
    assert!(html.contains("5 Nov 2026, 07:42"), "{html}");
}

#[tokio::test]
async fn an_older_server_fires_each_once() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    use_impressions(&app, customer, "a", 850_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    let written = sqlx::query(
        "INSERT INTO usage_alerts (customer_id, period_start, period_end, metric, kind, threshold, used, included, cost, currency, fired_at, next_attempt_at)
         VALUES ($1, '2026-11-01Z', '2026-12-01Z', 'impressions', 'percent', 80, 1, 1, 0, 'usd', now(), now())
         ON CONFLICT ON CONSTRAINT usage_alerts_once DO NOTHING",
    )
    .bind(customer.0)
    .execute(&app.db)
    .await
    .unwrap();
    assert_eq!((written.rows_affected(), one(&app, FIRED).await.as_str()), (0, "impressions percent 80"));
}

#[tokio::test]
async fn the_page_leads_with_a_refusing_cap() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    let machine = app.machine(customer).await;
    steady_month(&app, customer).await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let put = async |cap: u64| {
        let body = json!({"metrics": {"impressions": {"cap": {"quantity": cap}}}, "confirm": true}).to_string();
        let answer = person.send(axum::http::Method::PUT, "/api/v1/billing/alerts", Some("application/json"), body.into_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        person.get("/api/v1/billing/usage/current").await.json()["forecast"]["impressions"].clone()
    };
    // The forecast is limited to the cap, or to the current usage.
    assert_eq!(put(700_000).await, json!({"amount": 700_000, "low": 700_000, "high": 700_000}));
    assert_eq!(put(600_000).await, json!({"amount": 630_000, "low": 630_000, "high": 630_000}));
    for id in ["b", "c"] {
        machine.post_json("/api/v1/usage/events", &event(&app, id, "impressions", 5)).await.problem(402, "usage_cap_reached");
    }
    let html = person.get("/billing/usage").await.page();
    for text in [
        "Impressions are being refused: your cap of 600,000 is reached",
        "2 events with 10 impressions have been refused and not counted since 22 Nov 2026, 15:50.",
        "More is refused until 30 Nov, or until you change the cap.",
        r#"<a href="/billing/settings#alerts-impressions">Change the cap</a>"#,
        "verdict tone-danger",
    ] {
        assert!(html.contains(text), "{text} in {html}");
    }
    assert!(person.get("/billing/settings").await.text().contains(r#"id="alerts-impressions""#));
    // Once the alert has fired, the time is known.
    alerts::fire_for(&app.platform, customer).await.unwrap();
    let html = person.get("/billing/usage").await.page();
    assert!(html.contains("not counted since 20 Nov 2026, 23:00."), "{html}");
}
