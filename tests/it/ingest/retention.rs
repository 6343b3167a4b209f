//! Retention of usage events.

use super::bulk::{counted, send};
use crate::support::{TestApp, app::NOW};
use apex_billing::{
    domain::{identity::CustomerId, period::Period},
    service::ingest,
    store::postgres::usage::ids,
};
use time::Duration;

async fn eras(app: &TestApp) -> Vec<i32> {
    sqlx::query_scalar("SELECT era FROM usage_id_eras ORDER BY era").fetch_all(&app.db).await.unwrap()
}

async fn ids_known(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM usage_ids").fetch_one(&app.db).await.unwrap()
}

async fn audited(app: &TestApp, what: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM billing_audit JOIN events USING (event_type, data) WHERE event_type = $1")
        .bind(what)
        .fetch_one(&app.db)
        .await
        .unwrap()
}

/// Moves the era's beginning this far into the past.
async fn began(app: &TestApp, ago: Duration) {
    sqlx::query("UPDATE usage_id_eras SET began_at = $1").bind(app.now() - ago).execute(&app.db).await.unwrap();
}

#[tokio::test]
async fn events_are_known_across_eras_while_accepted() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    began(&app, Duration::days(89)).await;
    assert_eq!(send(&app, customer, 0..500).await, 500);
    ingest::forget(&app.platform).await.unwrap();
    assert_eq!(eras(&app).await, [0], "it has not ended yet");
    began(&app, Duration::days(90)).await;
    ingest::forget(&app.platform).await.unwrap();
    ingest::forget(&app.platform).await.unwrap();
    assert_eq!(eras(&app).await, [0, 1]);

    // Many and few, known and new.
    assert_eq!(send(&app, customer, 0..500).await, 0);
    assert_eq!(send(&app, customer, 499..800).await, 300);
    assert_eq!(send(&app, customer, [0, 1, 799, 800]).await, 1);
    assert_eq!(send(&app, customer, 801..1101).await, 300);
    assert_eq!(counted(&app, customer).await, (1101, 1101));

    app.advance(Duration::days(35));
    ingest::forget(&app.platform).await.unwrap();
    assert_eq!(eras(&app).await, [0, 1]);
    app.advance(Duration::days(1));
    ingest::forget(&app.platform).await.unwrap();
    assert_eq!((eras(&app).await, ids_known(&app).await), (vec![1], 601));
    assert_eq!(audited(&app, "usage_ids.dropped").await, 1);
    // They are too old to be accepted.
    let again = ingest::ingest(
        &app.platform,
        customer,
        ingest::Format::Json,
        br#"{"id": "e0", "metric": "impressions", "quantity": 1, "timestamp": "2026-11-22T15:50:00Z", "app_id": "app_0"}"#,
    );
    assert_eq!(again.await.unwrap().rejected[0].code, apex_billing::domain::usage_event::RejectionCode::TimestampTooOld);
}

#[tokio::test]
async fn an_era_may_begin_during_ingest() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    began(&app, Duration::days(90)).await;
    let batches = (0..16u32).map(|batch| {
        let app = &app;
        async move {
            if batch % 8 == 5 {
                ingest::forget(&app.platform).await.unwrap();
            }
            // Each event in two of them, many or few.
            let first = batch % 8 * 300;
            if batch < 8 {
                send(app, customer, first..first + 300).await
            } else {
                send(app, customer, first..first + 150).await + send(app, customer, first + 150..first + 300).await
            }
        }
    });
    let accepted: u64 = futures::future::join_all(batches).await.into_iter().sum();
    assert_eq!((accepted, counted(&app, customer).await, eras(&app).await), (2400, (2400, 2400), vec![0, 1]));
}

#[tokio::test]
async fn older_and_newer_servers_know_the_same_events() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let before = async |ids: &[&str]| -> Vec<String> {
        sqlx::query_scalar(
            "INSERT INTO usage_event_keys (customer_id, event_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING RETURNING event_id",
        )
        .bind(customer.0)
        .bind(ids)
        .fetch_all(&app.db)
        .await
        .unwrap()
    };
    assert_eq!(send(&app, customer, [1, 2]).await, 2);
    assert_eq!(before(&["e1", "e2", "e3"]).await, ["e3"]);
    assert_eq!(send(&app, customer, [1, 2, 3, 4]).await, 1);
    began(&app, Duration::days(90)).await;
    ingest::forget(&app.platform).await.unwrap();
    assert_eq!(before(&["e4", "e5"]).await, ["e5"]);
    assert_eq!(send(&app, customer, 0..300).await, 295);
    // The database computes the same keys as the server.
    for (era, id) in [(0, "e1"), (255, "ä'\\ 🎬")] {
        let key: uuid::Uuid =
            sqlx::query_scalar("SELECT usage_id($1, $2, $3)").bind(era).bind(customer.0).bind(id).fetch_one(&app.db).await.unwrap();
        assert_eq!(key, ids::key(u8::try_from(era).unwrap(), CustomerId(customer.0), id));
    }
}

#[tokio::test]
async fn raw_events_expire_and_billed_hours_stay() {
    let app = TestApp::start_with_settings(&[("raw-usage-event-days = 400", "raw-usage-event-days = 62")]).await;
    let customer = app.add_customer("lumen").await;
    sqlx::raw_sql("SELECT usage_events_ensure_partitions('2026-07-01Z', '2026-12-01Z')").execute(&app.db).await.unwrap();
    for month in ["2026-07-31 23:59Z", "2026-08-31 23:59Z", "2026-09-21 23:59Z", "2026-10-21 12:00Z"] {
        for sql in [
            "INSERT INTO usage_events (customer_id, event_id, app_id, metric, quantity, occurred_at) SELECT $1, $2, 'a', 'impressions', 1, $2::timestamptz",
            "INSERT INTO usage_records (customer_id, app_id, metric, hour, quantity, event_count, as_of)
             SELECT $1, 'a', 'impressions', date_trunc('hour', $2::timestamptz, 'UTC'), 1, 1, $2::timestamptz",
        ] {
            sqlx::query(sql).bind(customer.0).bind(month).execute(&app.db).await.unwrap();
        }
    }
    let whole = Period::new(NOW - Duration::days(150), NOW + Duration::HOUR).unwrap();
    assert_eq!(app.platform.usage.differences(whole).await.unwrap(), []);
    // The 21st of September is 62 days ago: that month is still needed.
    for _ in 0..2 {
        ingest::forget(&app.platform).await.unwrap();
        let left: Vec<String> = sqlx::query_scalar("SELECT event_id FROM usage_events ORDER BY 1").fetch_all(&app.db).await.unwrap();
        assert_eq!(left, ["2026-09-21 23:59Z", "2026-10-21 12:00Z"]);
        assert_eq!(audited(&app, "usage_events.dropped").await, 2);
    }
    assert_eq!(counted(&app, customer).await, (4, 4));
    // Nothing is missing that was meant to go.
    assert_eq!(app.platform.usage.differences(whole).await.unwrap(), []);
    assert_eq!(send(&app, customer, 0..300).await, 300);
}

#[tokio::test]
async fn partitions_are_created_in_advance() {
    let app = TestApp::start().await;
    let months = async || -> Vec<String> {
        sqlx::query_scalar("SELECT relname::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'usage_events'::regclass ORDER BY 1")
            .fetch_all(&app.db)
            .await
            .unwrap()
    };
    // From the oldest accepted event to two months ahead.
    let first = ["usage_events_2026_10", "usage_events_2026_11", "usage_events_2026_12", "usage_events_2027_01"];
    assert_eq!(months().await, first);
    app.advance(Duration::days(12));
    for _ in 0..2 {
        ingest::prepare(&app.platform).await.unwrap();
        assert_eq!(months().await, [&first[..], &["usage_events_2027_02"]].concat());
    }
}
