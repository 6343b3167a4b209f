//! Refusals of strangers in the audit log: failed sign-ins, invalid keys. The log can't be pruned, so that whoever is not signed in adds a bounded
//! number of rows an hour; the rest is counted, and one row has the counts of an hour that is over.

use crate::{
    domain::login_throttle::network_of,
    service::{Platform, Result},
    store::postgres::audit::{self, Entry, refusals as store},
};
use serde_json::json;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// Rows of one address (of IPv6 a /64) in an hour.
const MOST_OF_NETWORK: i32 = 20;
/// Rows of all addresses in an hour.
const MOST: i32 = 500;
/// Addresses that the row of counts names.
const MOST_NAMED: usize = 10;

/// Adds the entry, or counts it.
pub async fn record(platform: &Platform, entry: Entry<'_>) -> Result<()> {
    Ok(try_to_record(platform, entry).await?)
}

/// The same with the database's own error.
pub(super) async fn try_to_record(platform: &Platform, entry: Entry<'_>) -> sqlx::Result<()> {
    let network = entry.ip_address.and_then(|text| text.parse().ok()).map_or_else(|| "unknown".to_owned(), network_of);
    let mut tx = platform.db.begin().await?;
    if store::count(&mut tx, hour_of(platform.clock.now()), &network, MOST_OF_NETWORK, MOST).await? {
        audit::record(&mut tx, entry).await?;
    }
    tx.commit().await
}

/// Writes what was left out of the hours that are over, in one row.
pub async fn summarize(platform: &Platform) -> Result<()> {
    let hour = hour_of(platform.clock.now());
    if !store::any_before(&platform.db, hour).await? {
        return Ok(());
    }
    let mut tx = platform.db.begin().await?;
    let mut counts = store::take_before(&mut tx, hour).await?;
    counts.retain(|count| count.left_out > 0);
    counts.sort_by(|a, b| b.left_out.cmp(&a.left_out).then_with(|| a.network.cmp(&b.network)));
    if let Some(first) = counts.iter().map(|count| count.hour).min() {
        let most: Vec<_> = counts.iter().take(MOST_NAMED).map(|count| json!({"address": count.network, "count": count.left_out})).collect();
        let data = json!({
            "count": counts.iter().map(|count| count.left_out).sum::<i64>(),
            "addresses": counts.len(),
            "most": most,
            "from": first.format(&Rfc3339).unwrap_or_default(),
            "to": hour.format(&Rfc3339).unwrap_or_default(),
        });
        let entry = Entry { event_type: "access.refused_more", actor: "system", customer: None, data, ip_address: None, user_agent: None };
        audit::record(&mut tx, entry).await?;
    }
    Ok(tx.commit().await?)
}

fn hour_of(at: OffsetDateTime) -> OffsetDateTime {
    at - Duration::seconds(at.unix_timestamp().rem_euclid(3600)) - Duration::nanoseconds(at.nanosecond().into())
}
