//! Concurrent deliveries share a transaction, and are still independent.

use super::{INVOICE, ask, deliver_all, month, of_type, pixel_forge, platform, september};
use apex_billing::{
    demo::stripe_events::{Outcome, subscription_events},
    service::webhooks::apply::{apply, prefetch},
    store::postgres::mirror::BEGIN,
    stripe::webhook::parsed::ParsedEvent,
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Until the query has this result.
async fn until(db: &mut PgConnection, sql: &str, expected: bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while sqlx::query_scalar::<_, bool>(AssertSqlSafe(sql.to_owned())).fetch_one(&mut *db).await.expect("an answer") != expected {
        assert!(Instant::now() < deadline, "{sql}");
        tokio::task::yield_now().await;
    }
}

/// Copies of an invoice's payment, each of another invoice.
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
async fn concurrent_deliveries_share_a_transaction() {
    let (app, _) = platform().await;
    let mut events = payments(20);
    // One invoice in two events, and one event delivered twice.
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
async fn refused_events_fail_alone() {
    let (app, _) = platform().await;
    let mut events = payments(8);
    // Text that is valid in JSON and not in PostgreSQL.
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
async fn a_lost_connection_is_a_5xx_and_the_retry_applies() {
    let (app, _) = platform().await;
    let events = month(Outcome::Paid);
    let paid = of_type(&events, "invoice.paid").to_string();
    let mut blocker = app.db.acquire().await.expect("a connection");
    let blocking: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *blocker).await.expect("a pid");
    let database: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut *blocker).await.expect("a name");
    // From another connection: a session can't drop its own database.
    let elsewhere = (*app.db.connect_options()).clone().database("postgres");
    let mut operator = PgConnection::connect_with(&elsewhere).await.expect("a connection");

    // The event is stored in its transaction, and blocks at the invoice when the server vanishes.
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

/// Applies the events as a batch and rolls back; returns the number of rows read per table.
async fn rows_read(db: &mut PgConnection, events: &[ParsedEvent]) -> BTreeMap<String, i64> {
    const READ: &str = "SELECT relname::text, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables";
    let events: Vec<&ParsedEvent> = events.iter().collect();
    let mut batch = db.begin_with(BEGIN).await.expect("a transaction");
    let before: BTreeMap<String, i64> =
        sqlx::query_as::<_, (String, i64)>(READ).fetch_all(&mut *batch).await.expect("numbers").into_iter().collect();
    let prefetched = prefetch(&mut batch, &events).await.expect("known customers");
    apply(&mut batch, &events, &prefetched).await.expect("a mirror");
    let after: Vec<(String, i64)> = sqlx::query_as(READ).fetch_all(&mut *batch).await.expect("numbers");
    batch.rollback().await.expect("no trace");
    after.into_iter().map(|(table, rows)| (table.clone(), rows - before.get(&table).copied().unwrap_or(0))).collect()
}

#[tokio::test]
async fn plans_for_empty_tables_still_use_indexes_later() {
    let (app, customer) = platform().await;
    let mut events = subscription_events(&pixel_forge(), &[september()]);
    events.extend(month(Outcome::PartiallyRefunded));
    let events: Vec<ParsedEvent> = events.iter().map(|event| ParsedEvent::parse(&event.to_string(), None)).collect();
    // A connection caches its statements' plans until the tables are analysed, which is disabled
    // here.
    let mut conn = app.db.acquire().await.expect("a connection");
    for table in ["invoices", "invoice_line_items", "invoice_payments", "charges", "refunds", "subscriptions", "subscription_items"] {
        for sql in [format!("ALTER TABLE {table} SET (autovacuum_enabled = false)"), format!("VACUUM ANALYZE {table}")] {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *conn).await.expect("an empty table");
        }
    }
    let of_empty_tables = rows_read(&mut conn, &events).await;
    let stamp = "now(), 1, 'evt_other' FROM generate_series(1, 2000) n";
    for sql in [
        format!(
            "INSERT INTO invoices (customer_id, stripe_invoice_id, status, currency, subtotal, total, amount_due, amount_paid, amount_remaining,
                                   created_at, event_created_at, event_rank, event_id)
             SELECT '{customer}', 'in_' || n, 'paid', 'usd', 1, 1, 1, 1, 0, now(), {stamp}"
        ),
        "INSERT INTO invoice_line_items (invoice_id, position, stripe_line_id, description, amount) SELECT id, 0, 'il', 'Plan', 1 FROM invoices".into(),
        format!(
            "INSERT INTO invoice_payments (stripe_payment_id, stripe_invoice_id, customer_id, payment_intent, amount, status, at,
                                           event_created_at, event_rank, event_id)
             SELECT 'inpay_' || n, 'in_' || n, '{customer}', 'pi_' || n, 1, 'paid', now(), {stamp}"
        ),
        format!(
            "INSERT INTO charges (stripe_charge_id, customer_id, payment_intent, currency, amount, amount_refunded, status, created_at,
                                  event_created_at, event_rank, event_id)
             SELECT 'ch_' || n, '{customer}', 'pi_' || n, 'usd', 1, 1, 'succeeded', now(), {stamp}"
        ),
        format!(
            "INSERT INTO refunds (stripe_refund_id, customer_id, stripe_charge_id, currency, amount, status, created_at,
                                  event_created_at, event_rank, event_id)
             SELECT 're_' || n, '{customer}', 'ch_' || n, 'usd', 1, 'succeeded', now(), {stamp}"
        ),
        format!(
            "INSERT INTO subscriptions (customer_id, stripe_subscription_id, status, currency, created_at, event_created_at, event_rank, event_id)
             SELECT '{customer}', 'sub_' || n, 'active', 'usd', now(), {stamp}"
        ),
        "INSERT INTO subscription_items (subscription_id, stripe_item_id) SELECT id, 'si' FROM subscriptions".into(),
    ] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *conn).await.expect("many rows");
    }
    let of_full_tables = rows_read(&mut conn, &events).await;
    for (table, rows) in of_full_tables {
        let of_empty = of_empty_tables.get(&table).copied().unwrap_or(0);
        assert!(rows < of_empty + 1_000, "{table}: {of_empty} rows read while it was empty, {rows} once it was full");
    }
}
