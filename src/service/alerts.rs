//! Usage alerts: what a customer set, and firing what its figures have reached, once per period and threshold.

mod caps;
mod mails;

pub use caps::{KnownCaps, cap_reached, within_caps};
pub use mails::send_owed;

use super::{Error, Platform, Result, usage, webhooks::By};
use crate::{
    domain::{
        alert::{AlertSettings, AlertStanding, Field, Figures, FiredAlert, FiredAlerts, due},
        identity::CustomerId,
        usage::UsageCurrent,
    },
    store::postgres::{
        alerts as store,
        audit::{self, Entry},
        outbox,
    },
    telemetry,
};
use serde_json::{Value, json};
use time::Duration;

/// Usage is looked for in the hours since then at every turn; older hours change rarely, and wait for the next look at everybody.
const RECENT: Duration = Duration::hours(2);

/// After a period's beginning, the one before is looked at once more for so long.
const JUST_BEGUN: Duration = Duration::minutes(5);

/// What a customer set, or what is usual, in the currency that it is billed in.
#[tracing::instrument(name = "alerts.settings", level = "debug", skip_all)]
pub async fn settings(platform: &Platform, customer: CustomerId) -> Result<AlertSettings> {
    let (currency, _) = usage::billed(platform, customer).await?;
    let set = store::settings(&platform.db, customer).await?;
    Ok(set.map_or_else(|| AlertSettings::usual(currency), |settings| settings.in_currency(currency)))
}

/// Replaces what a customer set; a field that can't be used is named.
#[tracing::instrument(name = "alerts.put", level = "debug", skip_all)]
pub async fn put(platform: &Platform, by: &By, customer: CustomerId, body: &Value) -> Result<AlertSettings> {
    let (currency, _) = usage::billed(platform, customer).await?;
    let settings = AlertSettings::read(body, currency).map_err(|Field { field, detail }| Error::invalid(field, detail))?;
    let mut tx = platform.db.begin().await?;
    let before = store::put_settings(&mut tx, customer, &settings, platform.clock.now()).await?;
    let data = json!({"before": before, "after": settings});
    audit::record(&mut tx, by.entry("alerts.changed", customer, data.clone())).await?;
    outbox::publish(&mut tx, "alerts.changed", Some(customer), data).await?;
    tx.commit().await?;
    platform.caps.forget(customer);
    Ok(settings)
}

/// What fired for a customer in the running period, newest first.
#[tracing::instrument(name = "alerts.fired", level = "debug", skip_all)]
pub async fn fired(platform: &Platform, customer: CustomerId) -> Result<FiredAlerts> {
    let (_, period) = usage::billed(platform, customer).await?;
    Ok(FiredAlerts { customer_id: customer, alerts: store::fired(&platform.db, customer, period.start()).await? })
}

/// What is set for a customer, and what of it was reached in the running period.
pub async fn standing(platform: &Platform, customer: CustomerId) -> Result<AlertStanding> {
    let (currency, period) = usage::billed(platform, customer).await?;
    let (set, fired) = tokio::try_join!(store::settings(&platform.db, customer), store::fired(&platform.db, customer, period.start()))?;
    let settings = set.map_or_else(|| AlertSettings::usual(currency), |settings| settings.in_currency(currency));
    Ok(AlertStanding { settings, fired })
}

/// Compares the figures of customers whose usage may have changed with their thresholds, up to so many of them. How many alerts fired.
///
/// Which customers are looked at only saves work: what has been reached and has not fired is found at the next look too, and the table
/// takes it once.
pub async fn fire_due(platform: &Platform, limit: i64) -> Result<usize> {
    let mut fired = 0;
    for customer in store::claim_customers(&platform.db, platform.clock.now() - RECENT, limit).await? {
        match fire_for(platform, customer).await {
            Ok(count) => fired += count,
            // The others are not to wait for what is wrong with one.
            Err(error) => tracing::error!(%customer, %error, "usage alerts can't be told"),
        }
    }
    Ok(fired)
}

/// Fires what one customer's figures have reached. How many that were.
pub async fn fire_for(platform: &Platform, customer: CustomerId) -> Result<usize> {
    let set = store::settings(&platform.db, customer).await?;
    if set.as_ref().is_some_and(|settings| !settings.enabled()) {
        return Ok(0);
    }
    let usage = usage::current(platform, customer).await?;
    let settings = set.unwrap_or_else(|| AlertSettings::usual(usage.overages.currency));
    let start = usage.current_period.period.start();
    let mut fired = 0;
    // What was reached in a period's last seconds is found in the next one.
    if platform.clock.now() - start < JUST_BEGUN {
        let before = usage::at(platform, customer, start - Duration::SECOND).await?;
        if before.current_period.period.end() == start {
            fired += fire(platform, customer, &settings, &before).await?;
        }
    }
    Ok(fired + fire(platform, customer, &settings, &usage).await?)
}

async fn fire(platform: &Platform, customer: CustomerId, settings: &AlertSettings, usage: &UsageCurrent) -> Result<usize> {
    let (figures, period) = (Figures::from(usage), usage.current_period.period);
    let known = store::fired_thresholds(&platform.db, customer, period.start()).await?;
    let due = due(settings, &figures, &known);
    if due.is_empty() {
        return Ok(0);
    }
    let mut fired = Vec::new();
    let mut tx = platform.db.begin().await?;
    for (metric, threshold) in due {
        let alert = FiredAlert {
            metric,
            kind: threshold.kind().to_owned(),
            threshold: threshold.value(),
            used: figures.used[metric],
            included: figures.included.map(|included| included[metric]),
            cost: figures.cost[metric],
            currency: figures.currency,
            period,
            fired_at: platform.clock.now(),
            notified_at: None,
        };
        // Another process may have been faster.
        if store::fire(&mut tx, customer, &alert).await? {
            let data = json!({
                "metric": metric, "kind": alert.kind, "threshold": alert.threshold, "used": alert.used, "included": alert.included,
                "cost": alert.cost, "currency": alert.currency, "period": alert.period,
            });
            audit::record(&mut tx, system_entry("usage_alert.fired", customer, data.clone())).await?;
            outbox::publish(&mut tx, "usage_alert.fired", Some(customer), data).await?;
            fired.push(alert);
        }
    }
    tx.commit().await?;
    for alert in &fired {
        metrics::counter!(telemetry::USAGE_ALERTS, "kind" => alert.kind.clone()).increment(1);
    }
    Ok(fired.len())
}

fn system_entry(event_type: &str, customer: CustomerId, data: Value) -> Entry<'_> {
    Entry { event_type, actor: "system", customer: Some(customer), data, ip_address: None, user_agent: None }
}
