//! Usage alerts: settings, firing, recipients, caps.

mod api;
mod caps;
mod mails;
mod rearming;
mod standing;

use crate::support::TestApp;
use apex_billing::{
    domain::identity::CustomerId,
    service::{Platform, alerts},
};
use serde_json::{Value, json};
use time::{Duration, format_description::well_known::Rfc3339};

/// One event, now.
fn event(app: &TestApp, id: &str, metric: &str, quantity: u64) -> Value {
    json!({"id": id, "metric": metric, "quantity": quantity, "timestamp": app.now().format(&Rfc3339).unwrap(), "app_id": "app_42"})
}

pub async fn use_impressions(app: &TestApp, customer: CustomerId, id: &str, quantity: u64) {
    let answer = app.machine(customer).await.post_json("/api/v1/usage/events", &event(app, id, "impressions", quantity)).await;
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (202, Some(1)), "{}", answer.text());
}

/// A customer of the starter plan: a million impressions are included.
pub async fn subscribed(app: &TestApp, name: &str) -> CustomerId {
    let customer = app.add_customer(name).await;
    app.subscribe(customer, "starter", "usd").await;
    customer
}

/// 30,000 impressions a day since the month began: 900,000 by its end.
async fn steady_month(app: &TestApp, customer: CustomerId) {
    for day in 1..=21 {
        sqlx::query(
            "INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of)
             SELECT $1, 'impressions', hour, 'a', 1250, 1, hour
             FROM generate_series(make_timestamptz(2026, 11, $2, 0, 0, 0, 'UTC'), make_timestamptz(2026, 11, $2, 23, 0, 0, 'UTC'), '1 hour') AS hour",
        )
        .bind(customer.0)
        .bind(day)
        .execute(&app.db)
        .await
        .unwrap();
    }
}

async fn one(app: &TestApp, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(&app.db).await.unwrap()
}

const FIRED: &str =
    "SELECT coalesce(string_agg(concat(metric, ' ', kind, ' ', threshold), ', ' ORDER BY kind, threshold), '') FROM usage_alerts";

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_checks_fire_each_threshold_once() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    use_impressions(&app, customer, "a", 950_000).await;
    // Another replica shares only the database.
    let other = Platform::new((*app.platform.config).clone(), app.db.clone(), app.platform.clock.clone()).expect("a platform");
    let looks = (0..20).map(|n| alerts::fire_for(if n % 2 == 0 { &app.platform } else { &other }, customer));
    let fired: usize = futures::future::join_all(looks).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(fired, 2);
    assert_eq!(one(&app, FIRED).await, "impressions percent 80, impressions percent 90");
    for table in [
        "SELECT string_agg(data->>'threshold', ', ' ORDER BY id) FROM billing_audit WHERE event_type = 'usage_alert.fired' AND actor = 'system'",
        "SELECT string_agg(data->>'threshold', ', ' ORDER BY id) FROM events WHERE event_type = 'usage_alert.fired'",
    ] {
        assert_eq!(one(&app, table).await, "80, 90");
    }
    assert_eq!(
        one(&app, "SELECT DISTINCT concat(used, ' of ', included, ' ', cost, currency) FROM usage_alerts").await,
        "950000 of 1000000 0usd"
    );
    use_impressions(&app, customer, "b", 200_000).await;
    assert_eq!(alerts::fire_for(&other, customer).await.unwrap(), 2);
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 0);
    assert_eq!(one(&app, "SELECT max(cost)::text FROM usage_alerts").await, "1500");
}

#[tokio::test]
async fn the_next_period_fires_again() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    use_impressions(&app, customer, "a", 800_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    app.advance(Duration::days(10));
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 0);
    use_impressions(&app, customer, "b", 800_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 1);
    assert_eq!(
        one(&app, "SELECT string_agg(to_char(period_start AT TIME ZONE 'UTC', 'YYYY-MM-DD'), ', ' ORDER BY id) FROM usage_alerts").await,
        "2026-11-01, 2026-12-01"
    );
}

#[tokio::test]
async fn a_periods_last_second_fires_for_that_period() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    app.advance(time::macros::datetime!(2026-11-30 23:59:59 UTC) - app.now());
    use_impressions(&app, customer, "a", 950_000).await;
    app.advance(Duration::seconds(10));
    use_impressions(&app, customer, "b", 800_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 3);
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 0);
    assert_eq!(
        one(
            &app,
            "SELECT string_agg(concat(extract(month FROM period_start AT TIME ZONE 'UTC'), ' ', used), ', ' ORDER BY id) FROM usage_alerts"
        )
        .await,
        "11 950000, 11 950000, 12 800000"
    );
}

#[tokio::test]
async fn runs_find_new_usage_and_concurrent_runs_fire_once() {
    let app = TestApp::start().await;
    let (lumen, orbit) = (subscribed(&app, "lumen").await, subscribed(&app, "orbit").await);
    assert_eq!(alerts::fire_due(&app.platform, 100).await.unwrap(), 0);
    // As if no usage had arrived since then. By the database's clock, which dates usage; one
    // instant for both, so that the result doesn't depend on the test's speed.
    let settle = "UPDATE usage_alert_checks SET checked_at = now() - interval '1 minute'";
    sqlx::query(settle).execute(&app.db).await.unwrap();
    use_impressions(&app, lumen, "a", 900_000).await;
    let (first, second) = tokio::join!(alerts::fire_due(&app.platform, 100), alerts::fire_due(&app.platform, 100));
    assert_eq!(first.unwrap() + second.unwrap(), 2);
    let looked_at = "SELECT string_agg(name, ', ') FROM usage_alert_checks JOIN customers ON id = customer_id
                     WHERE checked_at > (SELECT min(checked_at) FROM usage_alert_checks)";
    assert_eq!(one(&app, looked_at).await, "lumen");
    // A late event is not in a recent hour; the check of all customers finds it.
    let mut late = event(&app, "late", "impressions", 900_000);
    late["timestamp"] = "2026-11-03T10:00:00Z".into();
    assert_eq!(app.machine(orbit).await.post_json("/api/v1/usage/events", &late).await.status, 202);
    sqlx::query("UPDATE usage_alert_checks SET checked_at = now() - interval '6 minutes'").execute(&app.db).await.unwrap();
    assert_eq!(alerts::fire_due(&app.platform, 100).await.unwrap(), 2);
}

#[tokio::test]
async fn no_subscription_and_a_changed_threshold() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    use_impressions(&app, customer, "a", 700_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 0);
    app.subscribe(customer, "starter", "usd").await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 0);
    let person = app.sign_in(apex_billing::domain::role::Role::Publisher, Some(customer)).await;
    let put = async |percent: Value| {
        let body = json!({"metrics": {"impressions": {"percent": percent}}}).to_string();
        let answer = person.send(axum::http::Method::PUT, "/api/v1/billing/alerts", Some("application/json"), body.into_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        alerts::fire_for(&app.platform, customer).await.unwrap()
    };
    assert_eq!(put(json!([50, 80])).await, 1);
    assert_eq!(put(json!([60])).await, 1);
    assert_eq!(put(json!([50, 60])).await, 0);
    // In money: 300,000 over at ten cents per started thousand is $30.
    use_impressions(&app, customer, "b", 600_000).await;
    let body = json!({"metrics": {"impressions": {"percent": [], "cost": [2999, 3000, 3001]}}}).to_string();
    person.send(axum::http::Method::PUT, "/api/v1/billing/alerts", Some("application/json"), body.into_bytes()).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 2);
    assert_eq!(one(&app, FIRED).await, "impressions cost 2999, impressions cost 3000, impressions percent 50, impressions percent 60");
}
