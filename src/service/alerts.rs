//! Usage alerts: a customer's settings, and firing thresholds that usage has reached, once per
//! period and threshold unless re-armed.

mod caps;
mod mails;

pub use caps::{Caps, Decided, KnownCaps, cap_reached};
pub use mails::send_owed;

use super::{
    Error, Platform, Result,
    actor::{By, system_entry},
    usage,
};
use crate::{
    domain::{
        alert::{
            AlertChange, AlertSettings, AlertStanding, CapRefusals, Figures, FiredAlert, FiredAlerts, Threshold, crossed_at, due,
            newly_refusing, quantity_of, still_reached,
        },
        identity::CustomerId,
        metric::Metric,
        subscription::metered_at,
        usage::UsageCurrent,
    },
    store::postgres::{alerts as store, audit, outbox},
    telemetry,
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

/// Each run looks for new usage in the hours since then; older hours change rarely and are covered
/// by the periodic check of all customers.
const RECENT: Duration = Duration::hours(2);

/// How long after a period's start the previous one is still evaluated.
const JUST_BEGUN: Duration = Duration::minutes(5);

/// A customer's settings or the defaults, in its billing currency.
#[tracing::instrument(name = "alerts.settings", level = "debug", skip_all)]
pub async fn settings(platform: &Platform, customer: CustomerId) -> Result<AlertSettings> {
    let (currency, _) = usage::billed(platform, customer).await?;
    let set = store::settings(&platform.db, customer).await?;
    Ok(set.map_or_else(|| AlertSettings::usual(currency), |settings| settings.in_currency(currency)))
}

/// Replaces a customer's settings; an error names every invalid field.
///
/// # Errors
/// `cap_confirmation_required` if a cap would refuse events from now on and the change is not
/// confirmed.
pub async fn put(platform: &Platform, by: &By, customer: CustomerId, body: &Value) -> Result<AlertSettings> {
    let (currency, _) = usage::billed(platform, customer).await?;
    change(platform, by, customer, AlertChange::read(body, currency)?).await
}

/// Replaces a customer's settings by parsed ones, in its billing currency.
///
/// # Errors
/// `cap_confirmation_required`, as [`put`].
#[tracing::instrument(name = "alerts.put", level = "debug", skip_all)]
pub async fn change(platform: &Platform, by: &By, customer: CustomerId, change: AlertChange) -> Result<AlertSettings> {
    let (_, period) = usage::billed(platform, customer).await?;
    let AlertChange { settings, confirm } = change;
    if settings.has_cap() && !confirm {
        let before = store::settings(&platform.db, customer).await?.unwrap_or_else(|| AlertSettings::usual(settings.currency()));
        let figures = Figures::from(&usage::current(platform, customer).await?);
        let refusing = newly_refusing(&before, &settings, &figures);
        if !refusing.is_empty() {
            return Err(Error::CapConfirmationRequired(refusing));
        }
    }
    let now = platform.clock.now();
    let mut tx = platform.db.begin().await?;
    let before = store::put_settings(&mut tx, customer, &settings, now).await?;
    let cap_of = |settings: Option<&AlertSettings>, metric| settings.and_then(|settings| settings.metric(metric).cap());
    let changed: Vec<Metric> =
        Metric::ALL.into_iter().filter(|metric| cap_of(before.as_ref(), *metric) != cap_of(Some(&settings), *metric)).collect();
    end_caps(&mut tx, customer, period.start(), &changed, now).await?;
    let data = json!({"before": before, "after": settings});
    audit::record(&mut tx, by.entry("alerts.changed", Some(customer), data.clone())).await?;
    outbox::publish(&mut tx, "alerts.changed", Some(customer), data).await?;
    tx.commit().await?;
    platform.caps.forget(customer);
    Ok(settings)
}

/// After changes of these metrics' caps: ends the recorded refusals, so that a cap that refuses
/// again is reported again.
async fn end_caps(
    conn: &mut PgConnection,
    customer: CustomerId,
    period_start: OffsetDateTime,
    metrics: &[Metric],
    now: OffsetDateTime,
) -> Result<()> {
    if metrics.is_empty() {
        return Ok(());
    }
    let fired = store::fired_thresholds(&mut *conn, customer, period_start).await?;
    let caps = fired.iter().filter(|fired| matches!(fired.threshold, Threshold::Cap(_)) && metrics.contains(&fired.metric));
    let ids: Vec<i64> = caps.map(|fired| fired.id).collect();
    rearm_these(conn, customer, &ids, now).await?;
    for metric in metrics {
        store::stopped_refusing(conn, customer, *metric, now).await?;
    }
    Ok(())
}

/// Re-arms these alerts and audits it.
async fn rearm_these(conn: &mut PgConnection, customer: CustomerId, ids: &[i64], at: OffsetDateTime) -> Result<()> {
    let ids = if ids.is_empty() { Vec::new() } else { store::rearm(conn, ids, at).await? };
    if !ids.is_empty() {
        let data = json!({"usage_alerts": ids});
        audit::record(conn, system_entry("usage_alert.rearmed", Some(customer), data.clone())).await?;
        outbox::publish(conn, "usage_alert.rearmed", Some(customer), data).await?;
    }
    Ok(())
}

/// A customer's alerts of the current period, newest first.
#[tracing::instrument(name = "alerts.fired", level = "debug", skip_all)]
pub async fn fired(platform: &Platform, customer: CustomerId) -> Result<FiredAlerts> {
    let (_, period) = usage::billed(platform, customer).await?;
    Ok(FiredAlerts { customer_id: customer, alerts: store::fired(&platform.db, customer, period.start()).await? })
}

/// The current usage and the alerts of its period, for the page that shows both: what both depend
/// on is read once. The usage is shown even if the alerts can't be read.
#[tracing::instrument(name = "alerts.with_usage", level = "debug", skip_all)]
pub async fn with_usage(platform: &Platform, customer: CustomerId) -> Result<(UsageCurrent, Result<AlertStanding>)> {
    let now = platform.clock.now();
    let mut conn = platform.db.acquire().await?;
    let terms = usage::Terms::read(&mut conn, platform, customer, now).await?;
    let standing = standing_of(&mut conn, customer, &terms).await;
    drop(conn);
    Ok((terms.usage(platform, customer, now).await?, standing))
}

async fn standing_of(conn: &mut PgConnection, customer: CustomerId, terms: &usage::Terms) -> Result<AlertStanding> {
    let fired = store::fired(&mut *conn, customer, terms.period.start()).await?;
    let refusals = store::refusals(conn, customer, terms.period.start()).await?;
    let usual = || AlertSettings::usual(terms.currency);
    let settings = terms.settings.clone().map_or_else(usual, |settings| settings.in_currency(terms.currency));
    Ok(AlertStanding { settings, fired, refusals })
}

/// A customer's settings, and the alerts of the current period.
pub async fn standing(platform: &Platform, customer: CustomerId) -> Result<AlertStanding> {
    let mut conn = platform.db.acquire().await?;
    let terms = usage::Terms::read(&mut conn, platform, customer, platform.clock.now()).await?;
    standing_of(&mut conn, customer, &terms).await
}

/// Compares the usage of customers with their thresholds, for up to this many whose usage may have
/// changed. Returns the number of fired alerts.
///
/// The selection of customers only saves work: a later run also finds reached thresholds, and the
/// unique key fires each once.
pub async fn fire_due(platform: &Platform, limit: i64) -> Result<usize> {
    let mut fired = 0;
    for customer in store::claim_customers(&platform.db, platform.clock.now() - RECENT, limit).await? {
        match fire_for(platform, customer).await {
            Ok(count) => fired += count,
            // One customer's error must not block the others.
            Err(error) => tracing::error!(%customer, %error, "usage alerts can't be evaluated"),
        }
    }
    Ok(fired)
}

/// Fires one customer's reached thresholds; returns how many.
pub async fn fire_for(platform: &Platform, customer: CustomerId) -> Result<usize> {
    let set = store::settings(&platform.db, customer).await?;
    if set.as_ref().is_some_and(|settings| !settings.enabled()) {
        return Ok(0);
    }
    let usage = usage::current(platform, customer).await?;
    let settings = set.unwrap_or_else(|| AlertSettings::usual(usage.overages.currency));
    let mut fired = 0;
    // Thresholds reached in a period's last seconds are found in the next period.
    let now = platform.clock.now();
    let subscriptions = usage::subscriptions(platform, customer).await?;
    let ended = metered_at(&subscriptions, now - JUST_BEGUN).period.end();
    if ended <= now {
        let before = usage::at(platform, customer, ended - Duration::SECOND).await?;
        fired += fire(platform, customer, &settings, &before).await?;
    }
    rearm(platform, customer, &settings, &usage).await?;
    Ok(fired + fire(platform, customer, &settings, &usage).await?)
}

/// Re-arms alerts of the current period that usage no longer reaches, after a change of the plan or
/// a correction. Alerts of past periods are never re-armed: their subscription may have been
/// replaced.
async fn rearm(platform: &Platform, customer: CustomerId, settings: &AlertSettings, usage: &UsageCurrent) -> Result<()> {
    let (figures, period) = (Figures::from(usage), usage.current_period.period);
    let fired = store::fired_thresholds(&platform.db, customer, period.start()).await?;
    let refusals = store::refusals(&platform.db, customer, period.start()).await?;
    let gone = fired.iter().filter(|one| !still_reached(one.metric, one.threshold, one.included, one.currency, settings, &figures));
    let ids: Vec<i64> = gone.map(|one| one.id).collect();
    let refuses = |cap: &&CapRefusals| still_reached(cap.metric, Threshold::Cap(cap.cap), None, figures.currency, settings, &figures);
    let stopped: Vec<Metric> = refusals.iter().filter(|cap| !refuses(cap)).map(|cap| cap.metric).collect();
    if ids.is_empty() && stopped.is_empty() {
        return Ok(());
    }
    let now = platform.clock.now();
    let mut tx = platform.db.begin().await?;
    rearm_these(&mut tx, customer, &ids, now).await?;
    for metric in stopped {
        store::stopped_refusing(&mut tx, customer, metric, now).await?;
    }
    Ok(tx.commit().await?)
}

/// The same after a correction, before later events are counted: at the next run usage may be above
/// the threshold again.
pub async fn rearm_after_correction(platform: &Platform, customer: CustomerId) -> Result<()> {
    let (currency, period) = usage::billed(platform, customer).await?;
    let (fired, refusals) = tokio::try_join!(
        store::fired_thresholds(&platform.db, customer, period.start()),
        store::refusals(&platform.db, customer, period.start()),
    )?;
    if fired.is_empty() && refusals.is_empty() {
        return Ok(());
    }
    let set = store::settings(&platform.db, customer).await?.unwrap_or_else(|| AlertSettings::usual(currency));
    rearm(platform, customer, &set, &usage::current(platform, customer).await?).await
}

async fn fire(platform: &Platform, customer: CustomerId, settings: &AlertSettings, usage: &UsageCurrent) -> Result<usize> {
    let (figures, period) = (Figures::from(usage), usage.current_period.period);
    let known = store::fired_thresholds(&platform.db, customer, period.start()).await?;
    let known: Vec<(Metric, Threshold)> = known.into_iter().map(|fired| (fired.metric, fired.threshold)).collect();
    let due = due(settings, &figures, &known);
    if due.is_empty() {
        return Ok(0);
    }
    let hours = platform.usage.figures(customer, period).await?.hours;
    let mut fired = Vec::new();
    let mut tx = platform.db.begin().await?;
    for (metric, threshold) in due {
        let included = figures.included.map(|included| included[metric]);
        let reached = |quantity| crossed_at(hours.iter().map(|hour| (hour.as_of, hour.quantities[metric])), quantity);
        let alert = FiredAlert {
            metric,
            kind: threshold.kind().to_owned(),
            threshold: threshold.value(),
            used: figures.used[metric],
            included,
            cost: figures.cost[metric],
            currency: figures.currency,
            period,
            fired_at: platform.clock.now(),
            crossed_at: quantity_of(threshold, included).and_then(reached),
            rearmed_at: None,
            notified_at: None,
        };
        // Another process may have been faster.
        if store::fire(&mut tx, customer, &alert).await? {
            let data = json!({
                "metric": metric, "kind": alert.kind, "threshold": alert.threshold, "used": alert.used, "included": alert.included,
                "cost": alert.cost, "currency": alert.currency, "period": alert.period,
            });
            audit::record(&mut tx, system_entry("usage_alert.fired", Some(customer), data.clone())).await?;
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
