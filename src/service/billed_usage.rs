//! Periods that are invoiced don't change silently: usage may come in up to 35 days late and still goes into the hour that it belongs to;
//! when that hour has been billed, the change is audited and told on.

use super::{Platform, Result};
use crate::{
    domain::usage_event::MAX_AGE,
    store::postgres::{
        audit::{self, Entry},
        billed_usage as store, outbox,
    },
    telemetry,
};
use serde_json::json;
use time::Duration;

/// How long after its end a period is invoiced at the latest.
const INVOICED_WITHIN: Duration = Duration::days(10);

/// Looks at the periods that late events could still reach; how many metrics of them have changed since their invoice.
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
        let entry = Entry {
            event_type: "usage.billed_period_changed",
            actor: "system",
            customer: Some(change.customer),
            data: data.clone(),
            ip_address: None,
            user_agent: None,
        };
        audit::record(&mut transaction, entry).await?;
        outbox::publish(&mut transaction, "usage.billed_period_changed", Some(change.customer), data).await?;
    }
    store::remember(&mut transaction, since, now).await?;
    transaction.commit().await?;
    metrics::counter!(telemetry::USAGE_BILLED_CHANGES).increment(changes.len() as u64);
    Ok(changes.len())
}
