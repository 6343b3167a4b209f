//! Shipping from the queue in PostgreSQL to ClickHouse: despite all failures, an event counts once.

use super::{Metered, event, impressions, impressions_of, recorded, send, settle};
use crate::support::{TestApp, app::NOW, clickhouse::Engine};
use apex_billing::{
    service::{ingest, usage},
    store::postgres::{self, MIGRATIONS},
};
use futures::future::join_all;
use sqlx::AssertSqlSafe;

async fn waiting(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT (SELECT count(*) FROM usage_outbox) + (SELECT coalesce(sum(events), 0) FROM usage_outbox_batches)")
        .fetch_one(&app.db)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_batch_that_is_shipped_twice_counts_once() {
    shipped_twice(100, "usage_outbox").await;
}

/// This many in one request are one row of another queue.
#[tokio::test]
async fn a_large_batch_that_is_shipped_twice_counts_once() {
    shipped_twice(400, "usage_outbox_batches").await;
}

async fn shipped_twice(size: u32, queue: &str) {
    let metered = Metered::on_clickhouse().await;
    let (app, clickhouse) = (&metered.app, metered.clickhouse.as_ref().unwrap());
    let customer = app.add_customer("lumen").await;
    send(app, customer, &impressions(0..size)).await;
    let rows: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {queue}"))).fetch_one(&app.db).await.unwrap();
    assert!(rows > 0, "nothing waits in {queue}");
    // PostgreSQL fails after ClickHouse has stored the rows.
    sqlx::raw_sql(AssertSqlSafe(format!(
        "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the power is out'; END $$;
         CREATE TRIGGER fails BEFORE DELETE ON {queue} FOR EACH STATEMENT EXECUTE FUNCTION fails();"
    )))
    .execute(&app.db)
    .await
    .unwrap();
    assert!(app.platform.usage.settle().await.unwrap_err().to_string().contains("the power is out"));
    assert_eq!(clickhouse.rows_and_events().await.1, u64::from(size));
    assert_eq!((waiting(app).await, impressions_of(app, customer).await), (i64::from(size), 0));
    // Before the retry there are more.
    let all = size + size / 2;
    send(app, customer, &impressions(size / 2..all)).await;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP TRIGGER fails ON {queue}"))).execute(&app.db).await.unwrap();
    // Without a merge the duplicates are visible.
    clickhouse.client().query("SYSTEM STOP MERGES usage_events").execute().await.unwrap();
    settle(app).await;
    let (rows, events) = clickhouse.rows_and_events().await;
    assert!(rows > events, "{rows} rows: nothing was sent again, and this test shows nothing");
    assert_eq!(events, u64::from(all));
    assert_eq!(recorded(app, customer).await, (i64::from(all), i64::from(all)));
    assert_eq!(waiting(app).await, 0);
}

/// Some with and some without properties, at different times.
fn varied(count: u32) -> Vec<serde_json::Value> {
    (0..count)
        .map(|number| {
            let mut one = event(
                &format!("ü'{number}\\"),
                "impressions",
                u64::from(number) + 1,
                NOW - time::Duration::milliseconds(i64::from(number) * 977),
            );
            if number % 3 > 0 {
                one["properties"] = serde_json::json!({"said": format!("\"{number}' 🎬\n")});
            }
            one
        })
        .collect()
}

#[tokio::test]
async fn large_batches_ship_all_fields() {
    let metered = Metered::on_clickhouse().await;
    let (app, clickhouse) = (&metered.app, metered.clickhouse.as_ref().unwrap());
    let customer = app.add_customer("lumen").await;
    let events = varied(500);
    send(app, customer, &events).await;
    sqlx::query("UPDATE usage_outbox_batches SET received_at = received_at - interval '61 s'").execute(&app.db).await.unwrap();
    assert!(app.platform.usage.condition().await.behind >= std::time::Duration::from_secs(61));
    let figures = usage::current(&app.platform, customer).await.unwrap();
    assert!(figures.waiting_since.is_some());
    // A small one next to it does not hide the age of the large one.
    send(app, customer, &impressions(0..1)).await;
    assert!(app.platform.usage.condition().await.behind >= std::time::Duration::from_secs(61));
    assert_eq!(usage::current(&app.platform, customer).await.unwrap().waiting_since, figures.waiting_since);
    assert_eq!(ingest::settle(&app.platform).await.unwrap(), 501);
    assert_eq!(usage::current(&app.platform, customer).await.unwrap().waiting_since, None);

    let mut stored: Vec<(String, String, String, i64, u64, String)> = clickhouse
        .client()
        .query("SELECT event_id, app_id, metric, toUnixTimestamp64Milli(ts), quantity, properties FROM usage_events FINAL WHERE event_id <> 'e0'")
        .fetch_all()
        .await
        .unwrap();
    stored.sort();
    let mut sent: Vec<_> = events
        .iter()
        .enumerate()
        .map(|(number, event)| {
            let properties = if event["properties"].is_null() { String::new() } else { event["properties"].to_string() };
            let at = (NOW - time::Duration::milliseconds(number as i64 * 977)).unix_timestamp_nanos() / 1_000_000;
            (
                event["id"].as_str().unwrap().to_owned(),
                "app_42".to_owned(),
                "impressions".to_owned(),
                at as i64,
                number as u64 + 1,
                properties,
            )
        })
        .collect();
    sent.sort();
    assert_eq!(stored, sent);
}

#[tokio::test]
async fn queued_batches_survive_a_rollback() {
    let metered = Metered::on_clickhouse().await;
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    send(app, customer, &varied(300)).await;
    let before = MIGRATIONS.iter().map(|migration| migration.version).filter(|version| *version < 32).max().unwrap();
    postgres::migrate_down(&app.db, before).await.unwrap();
    let queued: (i64, i64, i64) =
        sqlx::query_as("SELECT count(*), count(properties), sum(quantity)::bigint FROM usage_outbox").fetch_one(&app.db).await.unwrap();
    assert_eq!(queued, (300, 200, 301 * 150));
    postgres::migrate(&app.db).await.unwrap();
    assert_eq!(ingest::settle(&app.platform).await.unwrap(), 300);
    assert_eq!(recorded(app, customer).await, (301 * 150, 300));
    // Their ids are known throughout.
    assert_eq!(send(app, customer, &varied(300)).await, 0);
}

#[tokio::test]
async fn replicas_ship_in_turns_without_loss() {
    let metered = Metered::on_clickhouse().await;
    let app = &metered.app;
    let replicas = join_all((0..3).map(|_| metered.replica())).await;
    let customer = app.add_customer("lumen").await;
    let work = replicas.iter().enumerate().map(|(number, replica)| async move {
        for batch in 0..8u32 {
            let first = (number as u32 * 8 + batch) * 50;
            send(replica, customer, &impressions(first..first + 50)).await;
            ingest::settle(&replica.platform).await.unwrap();
        }
    });
    join_all(work).await;
    settle(app).await;
    assert_eq!(recorded(app, customer).await, (1200, 1200));
    assert_eq!(metered.clickhouse.as_ref().unwrap().rows_and_events().await, (1200, 1200));
}

#[tokio::test]
async fn several_batches_and_many_hours_ship_at_once() {
    let metered = Metered::on_clickhouse().await;
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    // More than every hour of a month: more hours than one statement takes.
    let mut all = Vec::new();
    for app_hour in 0..840 {
        for metric in ["impressions", "api_calls"] {
            all.push(event(&format!("{metric}-{app_hour}"), metric, 2, NOW - time::Duration::hours(app_hour)));
        }
    }
    for id in 0..24_000 {
        all.push(event(&format!("e{id}"), "impressions", 1, NOW));
    }
    for batch in all.chunks(10_000) {
        assert_eq!(send(app, customer, batch).await, batch.len() as u64);
    }
    assert_eq!(ingest::settle(&app.platform).await.unwrap(), 25_680);
    assert_eq!(recorded(app, customer).await, (1680 * 2 + 24_000, 25_680));
    let hours: i64 = sqlx::query_scalar("SELECT count(*) FROM usage_records").fetch_one(&app.db).await.unwrap();
    assert_eq!(hours, 1680);
}

#[tokio::test]
async fn a_killed_engine_loses_no_events() {
    let mut engine = Engine::not_started();
    engine.start();
    let app = TestApp::start_with(&[("CLICKHOUSE_URL", &engine.url())]).await;
    let customer = app.add_customer("lumen").await;
    let mut sent = 0;
    for round in 0..3u32 {
        for _ in 0..4 {
            sent += 2_000;
            send(&app, customer, &impressions(sent - 2_000..sent)).await;
        }
        // In the middle of it, at another point each time.
        let settling = tokio::spawn({
            let usage = app.platform.usage.clone();
            async move { usage.settle().await }
        });
        tokio::time::timeout(std::time::Duration::from_millis(u64::from(round) * 15), std::future::pending::<()>()).await.unwrap_err();
        engine.kill();
        // It may have finished already; a failure is reported.
        drop(settling.await.unwrap());
        send(&app, customer, &impressions(sent - 10..sent + 10)).await;
        sent += 10;
        engine.start();
        settle(&app).await;
        assert_eq!(recorded(&app, customer).await, (i64::from(sent), i64::from(sent)));
    }
    let events: u64 = engine.database().query("SELECT count() FROM usage_events FINAL").fetch_one().await.unwrap();
    assert_eq!(events, u64::from(sent));
}
