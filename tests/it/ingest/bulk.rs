//! Many events are written in another way than few, with the same result.

use crate::{
    support::{TestApp, app::NOW},
    usage_store::{Metered, holds_for_both_stores},
};
use apex_billing::{
    domain::identity::CustomerId,
    service::ingest::{self, Format},
};
use futures::future::join_all;
use proptest::prelude::*;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

/// Impressions of one each with these ids, spread over two hours and two apps.
fn events(ids: impl IntoIterator<Item = u32>) -> Vec<Value> {
    let event = |id: u32| {
        let at = NOW - time::Duration::minutes(i64::from(id % 120));
        json!({"id": format!("e{id}"), "metric": "impressions", "quantity": 1, "timestamp": at.format(&Rfc3339).unwrap(),
            "app_id": format!("app_{}", id % 2), "properties": {"n": id}})
    };
    ids.into_iter().map(event).collect()
}

/// The number of new events.
pub(super) async fn send(app: &TestApp, customer: CustomerId, ids: impl IntoIterator<Item = u32>) -> u64 {
    let events = events(ids);
    let receipt = ingest::ingest(&app.platform, customer, Format::Json, json!(events).to_string().as_bytes()).await.unwrap();
    assert_eq!(receipt.rejected, []);
    assert_eq!(receipt.accepted + receipt.duplicates, events.len() as u64);
    receipt.accepted
}

/// Counted events, and stored or queued ones.
pub(super) async fn counted(app: &TestApp, customer: CustomerId) -> (i64, i64) {
    app.platform.usage.settle().await.unwrap();
    sqlx::query_as(
        "SELECT (SELECT coalesce(sum(event_count), 0)::bigint FROM usage_records WHERE customer_id = $1),
                (SELECT coalesce(sum(quantity), 0)::bigint FROM usage_records WHERE customer_id = $1)",
    )
    .bind(customer.0)
    .fetch_one(&app.db)
    .await
    .unwrap()
}

async fn one_that_is_known_costs_the_others_nothing(metered: Metered) {
    let app = &metered.app;
    let (lumen, orbit) = (app.add_customer("lumen").await, app.add_customer("orbit").await);
    assert_eq!(send(app, lumen, 0..1000).await, 1000);
    assert_eq!(send(app, lumen, 999..2500).await, 1500);
    assert_eq!(send(app, lumen, (0..2500).rev()).await, 0);
    // Twice in the same request.
    assert_eq!(send(app, lumen, (2500..3000).chain(2600..2700)).await, 500);
    assert_eq!(send(app, lumen, [2999, 3000]).await, 1);
    assert_eq!(send(app, orbit, 0..1000).await, 1000);
    assert_eq!((counted(app, lumen).await, counted(app, orbit).await), ((3001, 3001), (1000, 1000)));
}

async fn overlapping_batches_of_any_size_count_once(metered: Metered) {
    let app = &metered.app;
    let replica = metered.replica().await;
    let customer = app.add_customer("lumen").await;
    let batches = (0..24u32).map(|batch| {
        let app = if batch % 2 == 0 { app } else { &replica };
        async move {
            // Many and few in turns, each in three batches, in another order each time.
            let length = if batch % 3 == 0 { 60 } else { 450 };
            let mut ids: Vec<u32> = (0..length).map(|i| (i + batch * 150) % 3600).collect();
            if batch % 4 > 1 {
                ids.reverse();
            }
            send(app, customer, ids).await
        }
    });
    let accepted: u64 = join_all(batches).await.into_iter().sum();
    // All unsent events, in one batch with all the others.
    let rest = send(app, customer, 0..3600).await;
    assert!(rest < 3600 && accepted + rest == 3600, "{accepted} + {rest}");
    assert_eq!(counted(app, customer).await, (3600, 3600));
}

holds_for_both_stores! {
    one_that_is_known_costs_the_others_nothing
    overlapping_batches_of_any_size_count_once
}

#[tokio::test]
async fn both_ways_store_the_same_data() {
    let app = TestApp::start().await;
    let (many, few) = (app.add_customer("many").await, app.add_customer("few").await);
    let odd = |id: u32| {
        json!({"id": format!("ä'\\ {id}"), "metric": "data_transfer_bytes", "quantity": 1_000_000_000_000u64 - u64::from(id),
            "timestamp": "2026-11-03T07:59:59.123456+01:00", "app_id": "Ünïcode 'app' \\ ?", "properties": {"a": "🎬 \\ \"", "n": [1, 2.50, 1e3]}})
    };
    let all: Vec<Value> = (0..300).map(odd).chain(events(300..320)).collect();
    let send = async |customer, events: &[Value]| {
        let receipt = ingest::ingest(&app.platform, customer, Format::Json, json!(events).to_string().as_bytes()).await.unwrap();
        assert_eq!(receipt.accepted, events.len() as u64);
    };
    send(many, &all).await;
    for some in all.chunks(50) {
        send(few, some).await;
    }
    for columns in [
        "event_id, app_id, metric, quantity, occurred_at, properties FROM usage_events",
        "metric, hour, app_id, quantity, event_count, as_of FROM usage_records",
    ] {
        let sql = format!(
            "SELECT count(*) FROM (SELECT {columns} WHERE customer_id = $1 EXCEPT SELECT {columns} WHERE customer_id = $2) AS other"
        );
        let differing: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(many.0).bind(few.0).fetch_one(&app.db).await.unwrap();
        assert_eq!(differing, 0, "{columns}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any split of a history into batches, with repetitions, in any order, one after another or
    /// concurrently.
    #[test]
    fn any_batches_count_each_event_once(
        cuts in prop::collection::vec((0u32..2000, 1u32..700, any::<bool>()), 1..12),
        at_once in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = TestApp::start().await;
            let customer = app.add_customer("lumen").await;
            let batches = cuts.iter().map(|(first, length, reversed)| {
                let mut ids: Vec<u32> = (*first..first + length).collect();
                if *reversed {
                    ids.reverse();
                }
                ids
            });
            let all: std::collections::HashSet<u32> = batches.clone().flatten().collect();
            let mut accepted = 0;
            if at_once {
                accepted += join_all(batches.map(|ids| send(&app, customer, ids))).await.into_iter().sum::<u64>();
            } else {
                for ids in batches {
                    accepted += send(&app, customer, ids).await;
                }
            }
            assert_eq!(accepted, all.len() as u64);
            assert_eq!(counted(&app, customer).await, (all.len() as i64, all.len() as i64));
        });
    }
}
