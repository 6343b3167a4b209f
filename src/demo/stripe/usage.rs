//! Usage at the stand-in's billing meters: what the platform has sent, except some hours that
//! Stripe does not count.
//!
//! A first run sends the last hours of usage as the job would have sent them, so that
//! reconciliation has usage to compare.

use crate::{
    demo::lumen,
    domain::{identity::CustomerId, meter::Status, metric::Metric, period::hour_of},
    service::{Clock, Platform, meters},
    store::postgres::{
        meters::{self as store, Row},
        reconcile::mirror::metered_customers,
    },
    stripe_stand_in::{
        StandIn,
        store::{Store, built},
    },
};
use serde_json::json;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// The usage that a first run sends. Each hour takes one request per customer and metric.
const SENT_AT_FIRST: Duration = Duration::hours(12);

/// Age at which sent usage should be counted: a repair sends it again (`service::meters::resend`).
const COUNTED: Duration = Duration::minutes(70);

/// The first hours of one metric that Stripe does not count.
const LOST_HOURS: usize = 3;
const LOST: Metric = Metric::ALL[0];

/// Of an hour that was sent once.
const FIRST_REVISION: i32 = 1;

/// Stripe takes no usage that is older, so that a repair could not send it.
const REPAIRABLE: Duration = Duration::days(30);

/// Turns the meters on if the operator has not: from the first hour that was ever sent, or will be.
pub async fn turn_on(platform: &Platform) -> anyhow::Result<Platform> {
    if platform.config.file.meters.enabled {
        return Ok(platform.clone());
    }
    let first = store::first_hour(&platform.db).await?;
    let since = first.unwrap_or_else(|| hour_of(platform.clock.now() - SENT_AT_FIRST));
    Ok(platform.with(|parts| {
        let mut config = (*parts.config).clone();
        config.file.meters.enabled = true;
        config.file.meters.since = Some(since);
        parts.config = Arc::new(config);
    }))
}

/// Fills the meters with the usage that was sent, and sends the first hours if none was. The
/// stand-in must have the customers.
pub async fn fill(stand_in: &StandIn, platform: &Platform) -> anyhow::Result<()> {
    let names = &platform.config.file.meters;
    stand_in.work(|store| Metric::ALL.into_iter().for_each(|metric| put_meter(store, metric, names.event_name(metric))));
    if store::first_hour(&platform.db).await?.is_none() {
        let at = platform.clock.now() - COUNTED;
        meters::run(&platform.with(|parts| parts.clock = Clock::new(move || at))).await?;
        meters::run(platform).await?;
    }
    // What was sent just now is put once more, which changes nothing.
    for (customer, stripe_id) in metered_customers(&platform.db, None, Uuid::nil(), i64::MAX).await? {
        for metric in Metric::ALL {
            let sent = sent(platform, customer, metric).await?;
            let lost = if stripe_id == lumen()?.stripe_id && metric == LOST { lost(&sent, platform.clock.now()) } else { Vec::new() };
            stand_in.work(|store| {
                for row in &sent {
                    put(store, row);
                }
                lost.iter().for_each(|identifier| store.lose_usage(identifier));
            });
        }
    }
    Ok(())
}

fn put_meter(store: &mut Store, metric: Metric, event_name: &str) {
    let members = json!({
        "id": format!("mtr_test_demo_{metric}"), "created": store.now, "updated": store.now, "status": "active",
        "display_name": metric.title(), "event_name": event_name, "default_aggregation": {"formula": "sum"},
        "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
        "value_settings": {"event_payload_key": "value"},
    });
    store.put("billing.meter", built("billing.meter", members));
}

async fn sent(platform: &Platform, customer: CustomerId, metric: Metric) -> anyhow::Result<Vec<Row>> {
    let mut rows = store::rows(&platform.db, customer, metric, OffsetDateTime::UNIX_EPOCH).await?;
    rows.retain(|row| row.status == Status::Sent);
    Ok(rows)
}

/// Of the first hours those that were not sent again since: the same of them at every start.
fn lost(sent: &[Row], now: OffsetDateTime) -> Vec<String> {
    let Some(first) = sent.iter().map(|row| row.hour).min().filter(|first| *first > now - REPAIRABLE) else { return Vec::new() };
    let hours = first..first + Duration::hours(LOST_HOURS as i64);
    let lost = sent.iter().filter(|row| hours.contains(&row.hour) && row.revision == FIRST_REVISION);
    lost.map(|row| row.identifier.clone()).collect()
}

fn put(store: &mut Store, row: &Row) {
    let at = row.sent_at.unwrap_or(row.first_tried_at);
    store.put_usage(
        (&row.event_name, &row.stripe_customer_id),
        &row.identifier,
        row.hour.unix_timestamp(),
        row.quantity,
        at.unix_timestamp(),
    );
}
