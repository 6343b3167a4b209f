//! Audits usage changes of invoiced periods. Usage may arrive up to 35 days late and is still
//! counted in its hour; if that hour has been billed, the change is audited and published.

use super::{Platform, Result, actor::system_entry};
use crate::{
    domain::usage_event::MAX_AGE,
    store::postgres::{audit, billed_usage as store, outbox},
    telemetry,
};
use serde_json::json;
use time::Duration;

/// Maximum time between a period's end and its invoice.
const INVOICED_WITHIN: Duration = Duration::days(10);

/// Checks the periods that late events can still affect; returns how many metrics have changed
/// since their invoice.
pub async fn check(platform: &Platform) -> Result<usize> {
    let now = platform.clock.now();
    let since = now - MAX_AGE - INVOICED_WITHIN;
    for (customer, at) in store::unsplit(&platform.db, since).await? {
        platform.usage.split(customer, &[at]).await?;
    }
    let mut transaction = platform.db.begin().await?;
    if !store::lead(&mut transaction).await? {
        return Ok(0);
    }
    let changes = store::changes(&mut transaction, since, now).await?;
    for change in &changes {
        let data = json!({"invoice_id": change.invoice, "metric": change.metric, "before": change.before, "after": change.after});
        tracing::warn!(customer_id = %change.customer, invoice_id = %change.invoice, change.metric, change.before, change.after, "usage of a billed period changed");
        audit::record(&mut transaction, system_entry("usage.billed_period_changed", Some(change.customer), data.clone())).await?;
        outbox::publish(&mut transaction, "usage.billed_period_changed", Some(change.customer), data).await?;
    }
    store::remember(&mut transaction, since, now).await?;
    transaction.commit().await?;
    metrics::counter!(telemetry::USAGE_BILLED_CHANGES).increment(changes.len() as u64);
    Ok(changes.len())
}
