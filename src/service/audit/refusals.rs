//! Refusals of unauthenticated clients in the audit log: failed logins, invalid keys. Audit rows
//! are never deleted, so unauthenticated clients may add only a limited number per hour. Further
//! refusals are counted, and one row has the counts of a past hour.

use crate::{
    domain::{login_throttle::network_of, period::hour_of},
    service::{Platform, Result, actor::system_entry},
    store::postgres::audit::{self, Entry, refusals as store},
};
use serde_json::json;
use time::format_description::well_known::Rfc3339;

/// Rows per address (IPv6: /64) and hour.
const MOST_OF_NETWORK: i32 = 20;
/// Rows of all addresses per hour.
const MOST: i32 = 500;
/// Maximum number of addresses in the row of counts.
const MOST_NAMED: usize = 10;

/// Adds the entry, or counts it.
pub async fn record(platform: &Platform, entry: Entry<'_>) -> Result<()> {
    Ok(try_to_record(platform, entry).await?)
}

/// The same with the database's error.
pub(super) async fn try_to_record(platform: &Platform, entry: Entry<'_>) -> sqlx::Result<()> {
    let network = entry.ip_address.and_then(|text| text.parse().ok()).map_or_else(|| "unknown".to_owned(), network_of);
    let mut tx = platform.db.begin().await?;
    if store::count(&mut tx, hour_of(platform.clock.now()), &network, MOST_OF_NETWORK, MOST).await? {
        audit::record(&mut tx, entry).await?;
    }
    tx.commit().await
}

/// Writes the counts of past hours in one row.
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
        audit::record(&mut tx, system_entry("access.refused_more", None, data)).await?;
    }
    Ok(tx.commit().await?)
}
