//! Stored and counted events at the end, compared with the senders' responses.

use super::{
    ledger::{Event, Ledger},
    senders::wait_until,
    site::Site,
};
use clickhouse::Row;
use serde::Deserialize;
use sqlx::PgPool;
use std::collections::{BTreeMap, HashMap, HashSet};
use time::OffsetDateTime;
use uuid::Uuid;

/// Customer, id, metric, app, hour, quantity.
type InPostgres = (Uuid, String, String, String, OffsetDateTime, i64);

/// The key of an hourly record: customer, metric, hour, app.
type Hour = (Uuid, String, OffsetDateTime, String);

pub fn is_what_was_answered(site: &Site, ledger: &Ledger) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pool = runtime.block_on(PgPool::connect(site.database_url())).unwrap();
    let waiting = "SELECT (SELECT count(*) FROM usage_outbox) + (SELECT count(*) FROM usage_outbox_batches)";
    wait_until("the queue for ClickHouse is empty", || {
        runtime.block_on(sqlx::query_scalar::<_, i64>(waiting).fetch_one(&pool)).unwrap() == 0
    });

    let rows = runtime.block_on(raw_events(site, &pool));
    let known = ledger.known();
    eprintln!(
        "{} events sent, {} answered, {} stored; {} requests answered, {} not",
        known.sent.len(),
        known.answered.len(),
        rows.len(),
        known.answers,
        known.failures
    );
    assert!(known.failures > 0 && known.answered.len() > 1_000, "this was no test");

    let mut stored = HashSet::new();
    let mut hours: BTreeMap<Hour, (i64, i64)> = BTreeMap::new();
    for (customer, event) in &rows {
        let number = event.id.strip_prefix('e').and_then(|number| number.parse().ok()).expect("an id of ours");
        assert!(stored.insert((*customer, number)), "{} is stored twice", event.id);
        assert_eq!(*event, Event::of(number, ledger.end));
        let hour = hours.entry((*customer, event.metric.to_owned(), event.hour, event.app.clone())).or_default();
        *hour = (hour.0 + event.quantity, hour.1 + 1);
    }
    assert_eq!(known.answered.difference(&stored).collect::<Vec<_>>(), Vec::<&(Uuid, u32)>::new(), "answered, and lost");
    assert_eq!(stored.difference(&known.sent).collect::<Vec<_>>(), Vec::<&(Uuid, u32)>::new(), "stored, and never sent");
    // If an id were accepted twice, responses would report more events than exist.
    assert!(known.accepted <= stored.len() as u64, "{} accepted, {} stored", known.accepted, stored.len());

    assert_eq!(runtime.block_on(records(&pool)), hours);
    let check = site.run(&["usage", "check", "--json"]);
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&check.stdout).unwrap(), serde_json::json!([]));
    runtime.block_on(pool.close());
}

async fn records(pool: &PgPool) -> BTreeMap<Hour, (i64, i64)> {
    let rows: Vec<(Uuid, String, OffsetDateTime, String, i64, i64)> =
        sqlx::query_as("SELECT customer_id, metric, hour, app_id, quantity, event_count FROM usage_records").fetch_all(pool).await.unwrap();
    rows.into_iter().map(|(customer, metric, hour, app, quantity, events)| ((customer, metric, hour, app), (quantity, events))).collect()
}

#[derive(Row, Deserialize)]
struct InClickHouse {
    customer: String,
    event_id: String,
    metric: String,
    app_id: String,
    hour: u32,
    quantity: u64,
}

/// Each row of the raw store; in ClickHouse with `FINAL`.
async fn raw_events(site: &Site, pool: &PgPool) -> Vec<(Uuid, Event)> {
    let metrics: HashMap<String, &'static str> =
        apex_billing::domain::metric::Metric::ALL.iter().map(|metric| (metric.as_str().to_owned(), metric.as_str())).collect();
    let in_postgres: Vec<InPostgres> =
        sqlx::query_as("SELECT customer_id, event_id, metric, app_id, date_trunc('hour', occurred_at, 'UTC'), quantity FROM usage_events")
            .fetch_all(pool)
            .await
            .unwrap();
    let Some(engine) = site.clickhouse() else {
        let event = |(customer, id, metric, app, hour, quantity): InPostgres| {
            (customer, Event { id, metric: metrics[&metric], app, hour, quantity })
        };
        return in_postgres.into_iter().map(event).collect();
    };
    assert_eq!(in_postgres, []);
    let sql = "SELECT toString(customer_id) AS customer, event_id, toString(metric) AS metric, toString(app_id) AS app_id,
                      toUnixTimestamp(toStartOfHour(ts)) AS hour, quantity FROM usage_events FINAL";
    let rows: Vec<InClickHouse> = engine.database().query(sql).fetch_all().await.unwrap();
    let event = |row: InClickHouse| {
        let hour = OffsetDateTime::from_unix_timestamp(row.hour.into()).unwrap();
        let quantity = row.quantity.try_into().unwrap();
        (row.customer.parse().unwrap(), Event { id: row.event_id, metric: metrics[&row.metric], app: row.app_id, hour, quantity })
    };
    rows.into_iter().map(event).collect()
}
