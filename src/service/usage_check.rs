//! Compares raw usage events with billed usage. Differences are reported, not repaired: staff
//! decide.

use super::{Platform, Result, actor::system_entry};
use crate::{
    domain::{
        identity::CustomerId,
        period::{Period, hour_of},
        usage_event::MAX_AHEAD,
        usage_hour::HourDifference,
    },
    store::postgres::{
        audit, outbox,
        usage::{differences as store, records},
    },
    telemetry,
};
use serde_json::json;
use std::collections::BTreeMap;
use time::Duration;

/// How far back the job compares.
const RECENT: Duration = Duration::hours(48);
/// Hours listed in one audit row; its count includes all.
const NAMED: usize = 100;

/// Checks the closed hours of the last two days. Returns the number of open differences in all
/// hours.
pub async fn check_recent(platform: &Platform) -> Result<u64> {
    let until = hour_of(platform.clock.now() - MAX_AHEAD);
    match Period::new(until - RECENT, until) {
        Some(span) => check(platform, span).await.map(|(_, open)| open),
        None => Ok(0),
    }
}

/// Checks a span of hours: raw events against records, and records against the sums that pages,
/// alerts and caps use. Returns its differences, and how many are open in all hours.
///
/// New differences get an audit row of type `error` and a domain event, one per customer.
pub async fn check(platform: &Platform, span: Period) -> Result<(Vec<HourDifference>, u64)> {
    let mut found = platform.usage.differences(span).await?;
    let mut tx = platform.db.begin().await?;
    let misshown = records::misshown(&mut tx, span).await?;
    found.extend(misshown.into_iter().filter(|difference| !found.iter().any(|known| known.hour == difference.hour)).collect::<Vec<_>>());
    let mut news: BTreeMap<CustomerId, Vec<HourDifference>> = BTreeMap::new();
    for difference in store::note(&mut tx, span, &found).await? {
        news.entry(difference.hour.customer).or_default().push(difference);
    }
    for (customer, differences) in news {
        let named: Vec<_> = differences.iter().take(NAMED).collect();
        let data = json!({"what": "raw usage events differ from billed usage", "hours": differences.len(), "differences": named});
        audit::record(&mut tx, system_entry("error", Some(customer), data.clone())).await?;
        outbox::publish(&mut tx, "usage.difference_found", Some(customer), data).await?;
    }
    let open = store::open(&mut tx).await?;
    tx.commit().await?;
    metrics::gauge!(telemetry::USAGE_HOURS_DIFFERING).set(open as f64);
    Ok((found, open))
}
