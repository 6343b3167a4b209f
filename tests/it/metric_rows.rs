//! Figures of metrics are rows. Servers of before read and write columns, and see the same figures;
//! servers of before a new metric are not disturbed by its rows.

use crate::support::{TestApp, app::NOW, database::TestDatabase};
use apex_billing::{
    domain::{period::Period, role::Role},
    service::usage_check,
    store::postgres::{self, alerts, meters},
};
use serde_json::json;
use sqlx::PgPool;
use time::{Duration, OffsetDateTime, macros::datetime};

const FOURTH_METRIC: &str = include_str!("../fixtures/fourth_metric.sql");

async fn run(db: &PgPool, statement: &'static str) -> u64 {
    sqlx::query(statement).execute(db).await.unwrap().rows_affected()
}

type Columns = (i64, i64, i64);

/// A plan's quotas by its columns and by its rows.
async fn quotas(db: &PgPool, version: i32) -> (Columns, Vec<(String, i64)>) {
    let columns = sqlx::query_as(
        "SELECT included_impressions, included_api_calls, included_data_transfer_bytes FROM plans WHERE plan_type = 'growth' AND version = $1",
    );
    let rows = sqlx::query_as(
        "SELECT metric, included FROM plan_quotas JOIN plans ON plans.id = plan_id WHERE plan_type = 'growth' AND version = $1 ORDER BY metric",
    );
    (columns.bind(version).fetch_one(db).await.unwrap(), rows.bind(version).fetch_all(db).await.unwrap())
}

fn rows(quotas: &[(&str, i64)]) -> Vec<(String, i64)> {
    quotas.iter().map(|(metric, included)| ((*metric).to_owned(), *included)).collect()
}

#[tokio::test]
async fn quotas_in_columns_and_rows_stay_in_step() {
    let database = TestDatabase::new().await;
    let db = &database.pool;
    let seeded = rows(&[("api_calls", 1_000_000), ("data_transfer_bytes", 500_000_000_000), ("impressions", 10_000_000)]);
    assert_eq!(quotas(db, 1).await, ((10_000_000, 1_000_000, 500_000_000_000), seeded));
    // As scripts of before write a plan, and change one.
    run(
        db,
        "INSERT INTO plans (plan_type, version, included_impressions, included_api_calls, included_data_transfer_bytes, valid_from)
         VALUES ('growth', 2, 7, 0, 9, '2026-01-01Z')",
    )
    .await;
    assert_eq!(quotas(db, 2).await, ((7, 0, 9), rows(&[("data_transfer_bytes", 9), ("impressions", 7)])));
    run(db, "UPDATE plans SET included_impressions = 0, included_api_calls = 8 WHERE version = 2").await;
    assert_eq!(quotas(db, 2).await, ((0, 8, 9), rows(&[("api_calls", 8), ("data_transfer_bytes", 9), ("impressions", 0)])));
    // As one is written now.
    run(db, "INSERT INTO plans (plan_type, version, valid_from) VALUES ('growth', 3, '2026-02-01Z')").await;
    assert_eq!(quotas(db, 3).await, ((0, 0, 0), vec![]));
    run(
        db,
        "INSERT INTO plan_quotas SELECT id, metric, 5 FROM plans, unnest(ARRAY['impressions', 'data_transfer_bytes']) AS metric WHERE version = 3",
    )
    .await;
    assert_eq!(quotas(db, 3).await, ((5, 0, 5), rows(&[("data_transfer_bytes", 5), ("impressions", 5)])));
    run(db, "UPDATE plan_quotas SET included = 6 FROM plans WHERE plan_id = id AND version = 3 AND metric = 'impressions'").await;
    run(db, "DELETE FROM plan_quotas USING plans WHERE plan_id = id AND version = 3 AND metric = 'data_transfer_bytes'").await;
    assert_eq!(quotas(db, 3).await, ((6, 0, 0), rows(&[("impressions", 6)])));
    run(db, "DELETE FROM plans WHERE version = 3").await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM plan_quotas WHERE included = 6").fetch_one(db).await.unwrap();
    assert_eq!(left, 0);
}

/// Sums by metric that the hours don't have as the records do, and hours of the view that are not
/// those of the records.
async fn differences(db: &PgPool) -> (i64, i64) {
    let rows =
        "SELECT count(*) FROM (SELECT customer_id, metric, hour, sum(quantity) AS quantity FROM usage_records GROUP BY 1, 2, 3) AS recorded
                FULL JOIN usage_customer_metric_hours shown USING (customer_id, metric, hour)
                WHERE coalesce(recorded.quantity, 0) <> coalesce(shown.quantity, 0)";
    let columns = "SELECT count(*) FROM (SELECT customer_id, hour,
                       coalesce(sum(quantity) FILTER (WHERE metric = 'impressions'), 0) AS impressions,
                       coalesce(sum(quantity) FILTER (WHERE metric = 'api_calls'), 0) AS api_calls,
                       coalesce(sum(quantity) FILTER (WHERE metric = 'data_transfer_bytes'), 0) AS data_transfer_bytes
                       FROM usage_records GROUP BY 1, 2) AS recorded
                   FULL JOIN usage_customer_hours shown USING (customer_id, hour)
                   WHERE (coalesce(recorded.impressions, 0), coalesce(recorded.api_calls, 0), coalesce(recorded.data_transfer_bytes, 0))
                      <> (coalesce(shown.impressions, 0), coalesce(shown.api_calls, 0), coalesce(shown.data_transfer_bytes, 0))";
    let count = async |statement: &'static str| sqlx::query_scalar::<_, i64>(statement).fetch_one(db).await.unwrap();
    (count(rows).await, count(columns).await)
}

/// Writes records at random: three hundred inserts, upserts, changes and deletions of some rows
/// each.
async fn write_records(db: &PgPool, seed: f64) {
    sqlx::query("SELECT setseed($1)").bind(seed).execute(db).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO customers (stripe_customer_id, name) VALUES ('cus_a', 'A'), ('cus_b', 'B') ON CONFLICT DO NOTHING;
         DO $$
         BEGIN
             FOR i IN 1..300 LOOP
                 IF random() < 0.6 THEN
                     INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of)
                     SELECT id, metric, '2026-11-22Z'::timestamptz + interval '1 hour' * floor(random() * 4), 'app_' || floor(random() * 2),
                         floor(random() * 1000), 1, '2026-11-22Z'
                     FROM customers, unnest(ARRAY['impressions', 'api_calls', 'data_transfer_bytes']) AS metric WHERE random() < 0.5
                     ON CONFLICT (customer_id, metric, hour, app_id) DO UPDATE SET quantity = usage_records.quantity + excluded.quantity;
                 ELSIF random() < 0.5 THEN
                     UPDATE usage_records SET quantity = floor(random() * 1000) WHERE random() < 0.2;
                 ELSE
                     DELETE FROM usage_records WHERE random() < 0.1;
                 END IF;
             END LOOP;
         END $$",
    )
    .execute(db)
    .await
    .unwrap();
}

#[tokio::test]
async fn hours_in_rows_and_columns_follow_the_records() {
    let database = TestDatabase::new().await;
    for seed in [0.1, 0.7] {
        write_records(&database.pool, seed).await;
        assert_eq!(differences(&database.pool).await, (0, 0), "seed {seed}");
    }
    let unknown = sqlx::query(
        "INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of)
         SELECT id, 'clicks', '2026-11-22Z', 'app', 1, 1, '2026-11-22Z' FROM customers",
    );
    let error = unknown.execute(&database.pool).await.unwrap_err();
    assert!(error.as_database_error().unwrap().is_foreign_key_violation(), "{error}");
}

#[tokio::test]
async fn the_way_back_and_forward_keeps_every_figure() {
    let database = TestDatabase::new().await;
    let db = &database.pool;
    write_records(db, 0.3).await;
    run(db, "INSERT INTO plans (plan_type, version, valid_from) VALUES ('growth', 2, '2026-01-01Z')").await;
    run(db, "INSERT INTO plan_quotas SELECT id, 'api_calls', 5 FROM plans WHERE version = 2").await;
    let shown = async || -> Vec<(OffsetDateTime, i64, i64, i64)> {
        sqlx::query_as("SELECT hour, impressions, api_calls, data_transfer_bytes FROM usage_customer_hours ORDER BY customer_id, hour")
            .fetch_all(db)
            .await
            .unwrap()
    };
    let before = shown().await;
    postgres::migrate_down(db, 45).await.unwrap();
    assert_eq!(shown().await, before);
    write_records(db, 0.4).await;
    let plan: Columns =
        sqlx::query_as("SELECT included_impressions, included_api_calls, included_data_transfer_bytes FROM plans WHERE version = 2")
            .fetch_one(db)
            .await
            .unwrap();
    assert_eq!(plan, (0, 5, 0));
    let before = shown().await;
    postgres::migrate(db).await.unwrap();
    assert_eq!(shown().await, before);
    assert_eq!((differences(db).await, quotas(db, 2).await.0), ((0, 0), (0, 5, 0)));
}

/// What a server of before writes after it split an hour: the parts without records go, the others
/// have their newest event.
#[tokio::test]
async fn a_server_of_before_writes_the_hours_of_its_splits() {
    let database = TestDatabase::new().await;
    let db = &database.pool;
    run(db, "INSERT INTO customers (stripe_customer_id, name) VALUES ('cus_a', 'A')").await;
    let add = "INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of)
               SELECT id, metric, hour::timestamptz, 'app', 5, 1, as_of::timestamptz FROM customers,
               (VALUES ('impressions', '2026-11-22 14:00Z', '2026-11-22 14:59Z'), ('api_calls', '2026-11-22 14:00Z', '2026-11-22 14:50Z'),
                       ('impressions', '2026-11-22 14:30Z', '2026-11-22 14:59Z')) AS records (metric, hour, as_of)";
    run(db, add).await;
    run(db, "DELETE FROM usage_records WHERE hour = '2026-11-22 14:30Z'").await;
    run(db, "UPDATE usage_records SET as_of = '2026-11-22 14:20Z' WHERE metric = 'impressions'").await;
    run(
        db,
        "WITH newest AS (
             SELECT hour, max(as_of) AS as_of FROM usage_records
             WHERE hour >= '2026-11-22 14:00Z' AND hour < '2026-11-22 15:00Z' AND metric IN ('impressions', 'api_calls', 'data_transfer_bytes') GROUP BY hour
         ), gone AS (
             DELETE FROM usage_customer_hours shown WHERE shown.hour >= '2026-11-22 14:00Z' AND shown.hour < '2026-11-22 15:00Z'
                 AND NOT EXISTS (SELECT FROM newest WHERE newest.hour = shown.hour)
         )
         UPDATE usage_customer_hours shown SET as_of = newest.as_of FROM newest WHERE shown.hour = newest.hour",
    )
    .await;
    let hours: Vec<(OffsetDateTime, i64, i64, i64, OffsetDateTime)> =
        sqlx::query_as("SELECT hour, impressions, api_calls, data_transfer_bytes, as_of FROM usage_customer_hours")
            .fetch_all(db)
            .await
            .unwrap();
    assert_eq!(hours, [(datetime!(2026-11-22 14:00 UTC), 5, 5, 0, datetime!(2026-11-22 14:50 UTC))]);
    let stored: Vec<(String, i64)> =
        sqlx::query_as("SELECT metric, quantity FROM usage_customer_metric_hours WHERE quantity > 0 ORDER BY metric")
            .fetch_all(db)
            .await
            .unwrap();
    assert_eq!(stored, rows(&[("api_calls", 5), ("impressions", 5)]));
}

#[tokio::test]
async fn a_metric_of_a_later_release_disturbs_nothing() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    app.subscribe(customer, "starter", "usd").await;
    let machine = app.machine(customer).await;
    let event = json!({"id": "a", "metric": "impressions", "quantity": 1_100_000, "timestamp": "2026-11-22T12:00:00Z", "app_id": "app"});
    assert_eq!(machine.post_json("/api/v1/usage/events", &event).await.status, 202);
    let current = async || machine.get("/api/v1/billing/usage/current").await.json();
    let before = current().await;
    assert_eq!(before["overages"]["total_overage_cost"], 1000);
    // The other server has migrated, counts the metric, has alerted and meters it.
    sqlx::raw_sql(FOURTH_METRIC).execute(&app.db).await.unwrap();
    for statement in [
        "INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of)
         SELECT id, 'storage_bytes', '2026-11-22 12:00Z', 'app', 7, 1, '2026-11-22 12:10Z' FROM customers",
        "INSERT INTO usage_alerts (customer_id, period_start, period_end, metric, kind, threshold, used, cost, currency, fired_at, next_attempt_at)
         SELECT id, '2026-11-01Z', '2026-12-01Z', 'storage_bytes', 'percent', 80, 7, 0, 'usd', '2026-11-22Z', '2026-11-22Z' FROM customers",
        "INSERT INTO usage_refusals (customer_id, period_start, metric, cap, since, last_at, events, quantity)
         SELECT id, '2026-11-01Z', 'storage_bytes', 5, '2026-11-22Z', '2026-11-22Z', 1, 1 FROM customers",
        "INSERT INTO usage_meters (customer_id, metric, next_look_at) SELECT id, 'storage_bytes', '2026-11-22Z' FROM customers",
    ] {
        assert_eq!(run(&app.db, statement).await, 1, "{statement}");
    }
    app.advance(Duration::minutes(10));
    assert_eq!(current().await, before);
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    for path in ["/api/v1/billing/alerts/standing", "/api/v1/billing/alerts/fired", "/api/v1/billing/usage/history", "/billing/usage"] {
        let answer = person.get(path).await;
        assert!(answer.status == 200 && !answer.text().contains("storage_bytes"), "{path}: {}", answer.text());
    }
    let day = Period::new(NOW - Duration::DAY, NOW + Duration::DAY).unwrap();
    assert_eq!(usage_check::check(&app.platform, day).await.unwrap().0, []);
    meters::add(&app.db, NOW).await.unwrap();
    assert_eq!(meters::claim(&app.db, NOW + Duration::HOUR, NOW + Duration::hours(2), 10).await.unwrap().len(), 3);
    assert_eq!(alerts::take_owed(&app.db, NOW, datetime!(2026-11-01 0:00 UTC), 10).await.unwrap().len(), 0);
}
