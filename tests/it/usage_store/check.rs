//! Raw events in ClickHouse compared with billed usage.

use super::{Metered, event, send, settle};
use crate::support::app::NOW;
use apex_billing::service::usage_check;
use time::Duration;

#[tokio::test]
async fn lost_and_extra_events_in_clickhouse_are_found() {
    let metered = Metered::on_clickhouse().await;
    let (app, clickhouse) = (&metered.app, metered.clickhouse.as_ref().unwrap());
    let customer = app.add_customer("lumen").await;
    let events = [event("a", "impressions", 5, NOW - Duration::hours(3)), event("b", "impressions", 5, NOW - Duration::hours(2))];
    send(app, customer, &events).await;
    settle(app).await;
    assert_eq!(usage_check::check_recent(&app.platform).await.unwrap(), 0);
    let client = clickhouse.client();
    client.query("ALTER TABLE usage_events DELETE WHERE event_id = 'a' SETTINGS mutations_sync = 1").execute().await.unwrap();
    client
        .query("INSERT INTO usage_events SELECT customer_id, app_id, metric, 'c', ts, quantity, properties, version FROM usage_events")
        .execute()
        .await
        .unwrap();
    assert_eq!(usage_check::check_recent(&app.platform).await.unwrap(), 2);
    let found: Vec<(i64, i64)> =
        sqlx::query_as("SELECT raw_quantity, recorded_quantity FROM usage_differences ORDER BY hour").fetch_all(&app.db).await.unwrap();
    assert_eq!(found, [(0, 5), (10, 5)]);
}

#[tokio::test]
async fn queued_events_are_no_difference() {
    let metered = Metered::on_clickhouse().await;
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    send(app, customer, &[event("a", "impressions", 5, NOW - Duration::hours(3))]).await;
    settle(app).await;
    // Interrupted after ClickHouse has stored it: in ClickHouse and in the queue, and not billed
    // yet.
    send(app, customer, &[event("b", "impressions", 5, NOW - Duration::hours(3))]).await;
    metered
        .clickhouse
        .as_ref()
        .unwrap()
        .client()
        .query("INSERT INTO usage_events SELECT customer_id, app_id, metric, 'b', ts, quantity, properties, version FROM usage_events")
        .execute()
        .await
        .unwrap();
    assert_eq!(usage_check::check_recent(&app.platform).await.unwrap(), 0);
    settle(app).await;
    assert_eq!(usage_check::check_recent(&app.platform).await.unwrap(), 0);
}
