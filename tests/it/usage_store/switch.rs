//! Switching from PostgreSQL to ClickHouse, and moving PostgreSQL's events.

use super::{becomes, event, impressions, impressions_of, recorded, send, settle};
use crate::support::{TestApp, app::NOW, clickhouse::TestClickHouse, program::Workplace};
use apex_billing::{
    domain::{identity::CustomerId, period::Period},
    service::{ingest, usage_check, usage_move},
    store::clickhouse::schema::MIGRATIONS,
};
use std::time::Duration;

async fn raw_in_postgres(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM usage_events").fetch_one(&app.db).await.unwrap()
}

/// Forty days of three metrics, and their sums.
async fn fill(app: &TestApp, customer: CustomerId) -> (i64, i64) {
    let mut events = Vec::new();
    for hour in 0..840 {
        for (metric, quantity) in [("impressions", 3), ("api_calls", 2), ("data_transfer_bytes", 1_000_000)] {
            for part in 0..4 {
                let at = NOW - time::Duration::hours(hour) - time::Duration::minutes(part);
                if at > NOW - time::Duration::days(35) {
                    events.push(event(&format!("{metric}-{hour}-{part}"), metric, quantity + hour as u64, at));
                }
            }
        }
    }
    for batch in events.chunks(ingest::MAX_EVENTS) {
        send(app, customer, batch).await;
    }
    recorded(app, customer).await
}

#[tokio::test]
async fn an_hour_with_events_in_both_is_complete() {
    let clickhouse = TestClickHouse::new();
    let variables = [("CLICKHOUSE_URL", clickhouse.url.as_str())];
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    send(&app, customer, &impressions(0..300)).await;
    send(&app, customer, &[event("old", "impressions", 7, NOW - time::Duration::days(3))]).await;
    let app = app.restart_with(&variables).await;
    assert_eq!(impressions_of(&app, customer).await, 307);
    // Some are known, and the new ones are in the same hour.
    assert_eq!(send(&app, customer, &impressions(200..400)).await, 100);
    settle(&app).await;
    assert_eq!(recorded(&app, customer).await, (407, 401));
    // The hour's events were copied, the other hour waits for the move.
    assert_eq!(raw_in_postgres(&app).await, 1);
    assert_eq!(clickhouse.rows_and_events().await.1, 400);
    let all = Period::new(NOW - time::Duration::days(40), NOW + time::Duration::HOUR).unwrap();
    assert_eq!(app.platform.usage.differences(all).await.unwrap(), []);
    let moved = usage_move::run(&app.platform, 1000, drop).await.unwrap();
    assert_eq!((moved.events, moved.months, moved.differences), (1, 1, vec![]));
    assert_eq!((raw_in_postgres(&app).await, clickhouse.rows_and_events().await.1), (0, 401));
    assert_eq!(recorded(&app, customer).await, (407, 401));
}

#[tokio::test]
async fn an_hour_of_many_events_is_copied_completely() {
    let clickhouse = TestClickHouse::new();
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    // More than one insert takes.
    for first in [0, 7_000, 14_000] {
        send(&app, customer, &impressions(first..first + 7_000)).await;
    }
    let app = app.restart_with(&[("CLICKHOUSE_URL", &clickhouse.url)]).await;
    send(&app, customer, &impressions(20_999..21_001)).await;
    settle(&app).await;
    assert_eq!((recorded(&app, customer).await, raw_in_postgres(&app).await), ((21_001, 21_001), 0));
    assert_eq!(clickhouse.rows_and_events().await, (21_001, 21_001));
}

#[tokio::test]
async fn servers_run_in_parallel_during_the_switch() {
    let clickhouse = TestClickHouse::new();
    let before = TestApp::start().await;
    let customer = before.add_customer("lumen").await;
    let after = before.replica_with(&[("CLICKHOUSE_URL", &clickhouse.url)]).await;
    let both = [&before, &after].into_iter().enumerate().map(|(number, app)| async move {
        for batch in 0..15u32 {
            let first = (batch * 2 + number as u32) * 40;
            // Half of each batch is also sent by the other server.
            send(app, customer, &impressions(first..first + 60)).await;
            settle(app).await;
        }
    });
    futures::future::join_all(both).await;
    settle(&after).await;
    let all: i64 = 29 * 40 + 60;
    assert_eq!(recorded(&after, customer).await.1, all);
    usage_move::run(&after.platform, 1000, drop).await.unwrap();
    assert_eq!(clickhouse.rows_and_events().await.1, all as u64);
    assert_eq!(recorded(&after, customer).await, (all, all));
}

#[tokio::test]
async fn an_hour_in_both_stores_is_no_difference() {
    let clickhouse = TestClickHouse::new();
    let before = TestApp::start().await;
    let customer = before.add_customer("lumen").await;
    let after = before.replica_with(&[("CLICKHOUSE_URL", &clickhouse.url)]).await;
    let at = NOW - time::Duration::hours(3);
    for (app, id) in [(&before, "a"), (&after, "b"), (&before, "c")] {
        send(app, customer, &[event(id, "impressions", 5, at)]).await;
        settle(app).await;
    }
    assert_eq!((recorded(&after, customer).await, raw_in_postgres(&after).await), ((15, 3), 1));
    assert_eq!(usage_check::check_recent(&after.platform).await.unwrap(), 0);
    let set = async |quantity: i64| {
        sqlx::query("UPDATE usage_records SET quantity = $1").bind(quantity).execute(&after.db).await.unwrap();
    };
    set(16).await;
    assert_eq!(usage_check::check_recent(&after.platform).await.unwrap(), 1);
    // After the move no difference is open.
    set(14).await;
    assert_eq!(usage_check::check_recent(&after.platform).await.unwrap(), 0);
    assert_eq!(usage_move::run(&after.platform, 1000, drop).await.unwrap().differences.len(), 1);
    set(15).await;
    assert_eq!(usage_move::run(&after.platform, 1000, drop).await.unwrap().differences, []);
    assert_eq!(usage_check::check_recent(&after.platform).await.unwrap(), 0);
    assert_eq!(raw_in_postgres(&after).await, 0);
}

#[tokio::test]
async fn a_server_without_clickhouse_url_refuses_to_start() {
    let clickhouse = TestClickHouse::new();
    let app = TestApp::start_with(&[("CLICKHOUSE_URL", &clickhouse.url)]).await;
    let place = Workplace::new();
    let output = place.command(&["serve"]).env("DATABASE_URL", app.database_url()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("CLICKHOUSE_URL"), "{text}");
    let switches: i64 = sqlx::query_scalar("SELECT count(*) FROM billing_audit WHERE event_type = 'usage_store.switched'")
        .fetch_one(&app.db)
        .await
        .unwrap();
    assert_eq!(switches, 1);
}

#[tokio::test]
async fn a_killed_move_resumes_with_the_same_sums() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let sums = fill(&app, customer).await;
    let clickhouse = TestClickHouse::new();
    let place = Workplace::new();
    let command = |batch: &str| {
        let mut command = place.command(&["usage", "move", "--json", "--batch", batch]);
        command.env("DATABASE_URL", app.database_url()).env("CLICKHOUSE_URL", &clickhouse.url).stdout(std::process::Stdio::piped());
        command
    };
    let mut first = command("12").spawn().unwrap();
    becomes(true, Duration::from_secs(60), async || {
        let copied: Option<i64> =
            sqlx::query_scalar("SELECT sum(events_copied)::bigint FROM usage_moves").fetch_one(&app.db).await.unwrap();
        copied.is_some_and(|copied| copied >= 60)
    })
    .await;
    first.kill().unwrap();
    first.wait().unwrap();
    let all = raw_in_postgres(&app).await;
    let copied = clickhouse.rows_and_events().await.1;
    assert!(copied > 0 && copied < all as u64, "{copied} of {all}: it was not in the middle");
    assert_eq!(recorded(&app, customer).await, sums);

    let done = command("5000").output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert!(report["events"].as_u64().unwrap() < all as u64, "it began anew: {report}");
    assert_eq!((report["months"].as_u64(), report["differences"].as_array().map(Vec::len)), (Some(2), Some(0)));
    assert_eq!((raw_in_postgres(&app).await, clickhouse.rows_and_events().await.1), (0, all as u64));
    let quantity: u64 = clickhouse.client().query("SELECT sum(quantity) FROM usage_events FINAL").fetch_one().await.unwrap();
    assert_eq!((quantity as i64, all), sums);
    let hours: u64 = clickhouse.client().query("SELECT sum(quantity) FROM usage_hours FINAL").fetch_one().await.unwrap();
    assert_eq!(hours, quantity);
    assert_eq!(recorded(&app, customer).await, sums);
    // Repeating has nothing to do.
    let again = command("5000").output().unwrap();
    assert!(again.status.success() && String::from_utf8_lossy(&again.stdout).contains(r#""events": 0"#));
}

#[tokio::test]
async fn a_move_with_differences_deletes_nothing() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    fill(&app, customer).await;
    let all = raw_in_postgres(&app).await;
    sqlx::query("UPDATE usage_records SET quantity = quantity + 1 WHERE metric = 'api_calls' AND hour = '2026-11-20 05:00Z'")
        .execute(&app.db)
        .await
        .unwrap();
    let clickhouse = TestClickHouse::new();
    let place = Workplace::new();
    let run = || {
        let mut command = place.command(&["usage", "move"]);
        command.env("DATABASE_URL", app.database_url()).env("CLICKHOUSE_URL", &clickhouse.url).output().unwrap()
    };
    let output = run();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(&format!("{customer} api_calls 2026-11-20T05Z\traw ")) && text.contains("1 months moved"), "{text}");
    // October is moved, November stays until the sums are equal.
    let left = raw_in_postgres(&app).await;
    assert!(left > 0 && left < all, "{left} of {all}");
    sqlx::query("UPDATE usage_records SET quantity = quantity - 1 WHERE metric = 'api_calls' AND hour = '2026-11-20 05:00Z'")
        .execute(&app.db)
        .await
        .unwrap();
    assert_eq!(run().status.code(), Some(0));
    assert_eq!((raw_in_postgres(&app).await, clickhouse.rows_and_events().await.1), (0, all as u64));
}

#[tokio::test]
async fn one_command_migrates_both_schemas() {
    let app = TestApp::start().await;
    let clickhouse = TestClickHouse::new();
    let place = Workplace::new();
    let run = |args: &[&str]| {
        let output = place.command(args).env("DATABASE_URL", app.database_url()).env("CLICKHOUSE_URL", &clickhouse.url).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(run(&["migrate", "status"]).contains("waiting ClickHouse 0001 usage events"));
    for _ in 0..2 {
        assert!(run(&["migrate"]).lines().all(|line| line.starts_with("applied")));
    }
    let applied: u64 = clickhouse.client().query("SELECT count() FROM schema_migrations").fetch_one().await.unwrap();
    assert_eq!(applied, 2);
    // A migration that was changed after its application is rejected.
    clickhouse
        .client()
        .query("INSERT INTO schema_migrations SELECT version, name, 'other', now64(3) FROM schema_migrations WHERE version = 1")
        .execute()
        .await
        .unwrap();
    let refused = place.command(&["migrate"]).env("DATABASE_URL", app.database_url()).env("CLICKHOUSE_URL", &clickhouse.url).output();
    let refused = refused.unwrap();
    assert!(refused.status.code() == Some(1) && String::from_utf8_lossy(&refused.stderr).contains("migration 1"));
}

#[tokio::test]
async fn the_replicated_schema_is_at_least_valid_sql() {
    // There is no cluster to run it on.
    let clickhouse = TestClickHouse::new();
    for migration in &MIGRATIONS {
        let statement = migration.statement(Some("billing"));
        assert!(statement.contains("ON CLUSTER 'billing'"));
        let explained = clickhouse.client().with_database("system").query_raw(&format!("EXPLAIN AST {statement}")).fetch_bytes("TSV");
        let tree = explained.unwrap().collect().await.unwrap();
        assert!(String::from_utf8_lossy(&tree).contains("Function ReplicatedReplacingMergeTree"), "{tree:?}");
    }
}
