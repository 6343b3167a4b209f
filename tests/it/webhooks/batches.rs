//! Deliveries at the same time share a transaction, and still stand each for itself.

use super::{INVOICE, ask, deliver_all, month, of_type, platform};
use apex_billing::demo::stripe_events::Outcome;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::time::{Duration, Instant};

/// Until the question has this answer.
async fn until(db: &mut PgConnection, sql: &str, expected: bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while sqlx::query_scalar::<_, bool>(AssertSqlSafe(sql.to_owned())).fetch_one(&mut *db).await.expect("an answer") != expected {
        assert!(Instant::now() < deadline, "{sql}");
        tokio::task::yield_now().await;
    }
}

/// As many copies of an invoice's payment as wanted, each of another invoice.
fn payments(count: usize) -> Vec<Value> {
    let paid = of_type(&month(Outcome::Paid), "invoice.paid");
    (0..count)
        .map(|n| {
            let mut event = paid.clone();
            event["id"] = json!(format!("evt_batch_{n}"));
            event["data"]["object"]["id"] = json!(format!("in_batch_{n}"));
            event
        })
        .collect()
}

async fn transactions(db: &PgPool) -> String {
    ask(db, "SELECT count(DISTINCT xmin::text) FROM stripe_webhook_events").await
}

#[tokio::test]
async fn deliveries_of_the_same_moment_share_a_transaction() {
    let (app, _) = platform().await;
    let mut events = payments(20);
    // One invoice told twice, and one event delivered twice.
    events[1]["data"]["object"]["id"] = events[0]["data"]["object"]["id"].clone();
    events.push(events[2].clone());
    let answers = futures::future::join_all(events.iter().map(|event| async { app.post_webhook(&event.to_string()).await.json() })).await;
    assert_eq!(answers.iter().filter(|answer| **answer == json!({"received": true, "duplicate": false})).count(), 20);
    assert_eq!(answers.iter().filter(|answer| **answer == json!({"received": true, "duplicate": true})).count(), 1);
    assert_eq!(transactions(&app.db).await, "1");
    assert_eq!(ask(&app.db, "SELECT status, count(*) FROM stripe_webhook_events GROUP BY 1").await, "applied|20");
    assert_eq!(ask(&app.db, "SELECT count(*), count(DISTINCT stripe_invoice_id) FROM invoices").await, "19|19");
    for table in ["billing_audit WHERE event_type = 'webhook.applied'", "events WHERE event_type = 'invoice.changed'"] {
        assert_eq!(ask(&app.db, &format!("SELECT count(*), count(DISTINCT data ->> 'object_id') FROM {table}")).await, "19|19", "{table}");
    }
}

#[tokio::test]
async fn what_the_database_refuses_fails_alone() {
    let (app, _) = platform().await;
    let mut events = payments(8);
    // Text that JSON can say and PostgreSQL can't keep.
    events[3]["data"]["object"]["customer_name"] = json!("Pixel\0Forge");
    let answers = futures::future::join_all(events.iter().map(|event| async { app.post_webhook(&event.to_string()).await.json() })).await;
    assert!(answers.iter().all(|answer| *answer == json!({"received": true, "duplicate": false})), "{answers:?}");
    assert_eq!(ask(&app.db, "SELECT count(*) FROM stripe_webhook_events WHERE status = 'applied'").await, "7");
    assert_eq!(
        ask(&app.db, "SELECT stripe_event_id, status, attempts, last_error FROM stripe_webhook_events WHERE status <> 'applied'").await,
        "evt_batch_3|failed|1|the database refused it: unsupported Unicode escape sequence"
    );
    assert_eq!(ask(&app.db, "SELECT count(*) FROM invoices").await, "7");
}

#[tokio::test]
async fn a_database_that_goes_away_in_mid_event_is_a_5xx_and_one_effect_when_stripe_sends_again() {
    let (app, _) = platform().await;
    let events = month(Outcome::Paid);
    let paid = of_type(&events, "invoice.paid").to_string();
    let mut blocker = app.db.acquire().await.expect("a connection");
    let blocking: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *blocker).await.expect("a pid");
    let database: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut *blocker).await.expect("a name");
    // From the outside: nobody closes the database that they are in.
    let elsewhere = (*app.db.connect_options()).clone().database("postgres");
    let mut operator = PgConnection::connect_with(&elsewhere).await.expect("a connection");

    // The event is stored in its transaction, and stands before the invoice when the server vanishes.
    sqlx::raw_sql("BEGIN; LOCK TABLE invoices").execute(&mut *blocker).await.expect("a lock");
    let delivery = app.post_webhook(&paid);
    let vanishing = async {
        let waits = format!("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{database}' AND wait_event_type = 'Lock')");
        until(&mut operator, &waits, true).await;
        sqlx::raw_sql(AssertSqlSafe(format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false")))
            .execute(&mut operator)
            .await
            .expect("closed");
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2")
            .bind(&database)
            .bind(blocking)
            .execute(&mut operator)
            .await
            .expect("no other connections");
    };
    let (answer, ()) = futures::join!(delivery, vanishing);
    answer.problem(503, "busy");
    sqlx::raw_sql("ROLLBACK").execute(&mut *blocker).await.expect("no lock");
    app.post_webhook(&paid).await.problem(503, "busy");

    sqlx::raw_sql(AssertSqlSafe(format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true"))).execute(&mut operator).await.expect("open");
    drop(blocker);
    assert_eq!(ask(&app.db, "SELECT count(*) FROM stripe_webhook_events").await, "0");
    assert_eq!(app.post_webhook(&paid).await.json(), json!({"received": true, "duplicate": false}));
    assert_eq!(app.post_webhook(&paid).await.json(), json!({"received": true, "duplicate": true}));
    deliver_all(&app, &events).await;
    assert_eq!(ask(&app.db, INVOICE).await, "paid|81715|81715|0|0");
    assert_eq!(
        ask(&app.db, "SELECT count(*) FROM billing_audit WHERE event_type = 'webhook.applied' AND data ->> 'event_type' = 'invoice.paid'")
            .await,
        "1"
    );
}
