//! Stores of raw usage events. `contract` applies to both; the rest is about ClickHouse: outages
//! and the switch to it.

mod away;
mod check;
mod contract;
mod shipping;
mod switch;

use crate::support::{TestApp, app::NOW, clickhouse::TestClickHouse};
use apex_billing::{
    domain::{identity::CustomerId, metric::Metric},
    service::{ingest, usage},
};
use serde_json::{Value, json};
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Runs each of these with PostgreSQL and with ClickHouse.
macro_rules! holds_for_both_stores {
    ($($name:ident)*) => {
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::usage_store::Metered::on_postgres().await).await;
            })*
        }
        mod clickhouse {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::usage_store::Metered::on_clickhouse().await).await;
            })*
        }
    };
}
pub(crate) use holds_for_both_stores;

const IMPRESSIONS: &str = "impressions";

/// An app on one of the stores.
pub struct Metered {
    pub app: TestApp,
    pub clickhouse: Option<TestClickHouse>,
}

impl Metered {
    pub async fn on_postgres() -> Metered {
        Metered { app: TestApp::start().await, clickhouse: None }
    }

    pub async fn on_clickhouse() -> Metered {
        let clickhouse = TestClickHouse::new();
        Metered { app: TestApp::start_with(&[("CLICKHOUSE_URL", &clickhouse.url)]).await, clickhouse: Some(clickhouse) }
    }

    /// Another server on the same stores.
    pub async fn replica(&self) -> TestApp {
        match &self.clickhouse {
            Some(clickhouse) => self.app.replica_with(&[("CLICKHOUSE_URL", &clickhouse.url)]).await,
            None => self.app.replica_with(&[]).await,
        }
    }
}

fn event(id: &str, metric: &str, quantity: u64, at: OffsetDateTime) -> Value {
    json!({"id": id, "metric": metric, "quantity": quantity, "timestamp": at.format(&Rfc3339).unwrap(), "app_id": "app_42"})
}

/// Impressions of one each, at the same instant, with these ids.
fn impressions(ids: std::ops::Range<u32>) -> Vec<Value> {
    ids.map(|id| event(&format!("e{id}"), IMPRESSIONS, 1, NOW - time::Duration::MINUTE)).collect()
}

/// Sends events; all must be accepted or known. Returns the number of new ones.
async fn send(app: &TestApp, customer: CustomerId, events: &[Value]) -> u64 {
    let body = Value::Array(events.to_vec()).to_string();
    let receipt = ingest::ingest(&app.platform, customer, ingest::Format::Json, body.as_bytes()).await.unwrap();
    assert_eq!(receipt.rejected, []);
    assert_eq!(receipt.accepted + receipt.duplicates, events.len() as u64);
    receipt.accepted
}

/// Makes the store count everything.
async fn settle(app: &TestApp) {
    app.platform.usage.settle().await.unwrap();
}

async fn impressions_of(app: &TestApp, customer: CustomerId) -> u64 {
    usage::current(&app.platform, customer).await.unwrap().current_period.used[Metric::Impressions]
}

/// Sum of the quantities and number of the events in the hourly records.
async fn recorded(app: &TestApp, customer: CustomerId) -> (i64, i64) {
    sqlx::query_as(
        "SELECT coalesce(sum(quantity), 0)::bigint, coalesce(sum(event_count), 0)::bigint FROM usage_records WHERE customer_id = $1",
    )
    .bind(customer.0)
    .fetch_one(&app.db)
    .await
    .unwrap()
}

/// Polls until the expected value.
async fn becomes<T: PartialEq + std::fmt::Debug>(wanted: T, within: Duration, mut ask: impl AsyncFnMut() -> T) -> Duration {
    let begun = std::time::Instant::now();
    loop {
        let got = ask().await;
        if got == wanted {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < within, "still {got:?} after {within:?}, not {wanted:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
