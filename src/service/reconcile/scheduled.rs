//! Scheduled work: resuming runs of dead processes, the nightly run, the metrics.

use super::{
    Asked, Listener, Platform, Result, Work,
    begin::{add, lead, resume},
    scope::Scope,
};
use crate::{
    domain::{money::Currency, reconcile::Kind},
    service::{
        actor::{By, SYSTEM},
        features,
    },
    store::postgres::reconcile::{self as store, found},
    telemetry,
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use time::Duration;
use tokio_util::sync::CancellationToken;

/// The actor of scheduled runs.
/// How long after its hour the nightly run may still start.
const NIGHT: Duration = Duration::hours(3);

/// Resumes interrupted runs, and starts the nightly run when due. Returns how many runs.
pub async fn tend(platform: &Platform) -> Result<usize> {
    if platform.stripe.is_none() || !features::current(platform).billing_enabled {
        return Ok(0);
    }
    let silent: Listener = Arc::new(|_| ());
    let mut runs = 0;
    for id in store::running(&platform.db).await? {
        if let Some(work) = resume(platform, id).await? {
            work.carry_out(&silent, &CancellationToken::new()).await?;
            runs += 1;
        }
    }
    if let Some(work) = nightly(platform).await? {
        work.carry_out(&silent, &CancellationToken::new()).await?;
        runs += 1;
    }
    let settings = &platform.config.file.reconcile;
    let now = platform.clock.now();
    store::forget(&platform.db, now - Duration::days(i64::from(settings.keep_days)), now - Duration::DAY).await?;
    Ok(runs)
}

async fn nightly(platform: &Platform) -> Result<Option<Work>> {
    let settings = &platform.config.file.reconcile;
    if !settings.nightly {
        return Ok(None);
    }
    let now = platform.clock.now();
    let today = now.replace_time(time::Time::MIDNIGHT) + Duration::hours(i64::from(settings.nightly_hour));
    let due = if today <= now { today } else { today - Duration::DAY };
    if now - due >= NIGHT || store::began_since(&platform.db, SYSTEM, due).await? {
        return Ok(None);
    }
    let Some(lead) = lead(platform, None).await? else { return Ok(None) };
    // Another replica may have run it meanwhile.
    if store::began_since(&platform.db, SYSTEM, due).await? {
        lead.give_up().await?;
        return Ok(None);
    }
    let by = By::system();
    let scope = Scope::of(platform, &Asked::default()).await?;
    let run = add(platform, &by, scope, false, None, false).await?;
    Ok(Some(Work { platform: platform.clone(), run, lead }))
}

/// Currencies with a gauge: if a later run finds nothing in one, it returns to 0.
fn measured() -> MutexGuard<'static, BTreeSet<Currency>> {
    static MEASURED: Mutex<BTreeSet<Currency>> = Mutex::new(BTreeSet::new());
    MEASURED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Major units of an amount in minor units.
fn major_units(amount: i64, currency: Currency) -> f64 {
    amount as f64 / 10_f64.powi(currency.exponent().cast_signed())
}

/// Sets the metrics of the last complete run over all customers, by any process.
pub async fn measure(platform: &Platform) -> Result<()> {
    let Some(last) = store::last_complete(&platform.db).await? else { return Ok(()) };
    let mut conn = platform.db.acquire().await?;
    let sum = found::sum(&mut conn, last.id).await?;
    let billed = store::currencies(&platform.db).await?;
    let mut currencies = measured();
    currencies.extend(billed);
    currencies.extend(last.currency_totals.keys().copied());
    for currency in currencies.iter().copied() {
        let amount = last.currency_totals.get(&currency).copied().unwrap_or(0);
        metrics::gauge!(telemetry::RECONCILE_DISCREPANCY_MAJOR_UNITS, "currency" => currency.code().to_owned())
            .set(major_units(amount, currency));
    }
    for kind in Kind::ALL {
        let count = sum.kinds.iter().find(|count| count.kind == kind).map_or(0, |count| count.count);
        metrics::gauge!(telemetry::RECONCILE_DISCREPANCIES, "kind" => kind.as_str()).set(count as f64);
    }
    metrics::gauge!(telemetry::RECONCILE_CHECKED).set(last.rows_checked as f64);
    if let Some(at) = last.finished_at {
        metrics::gauge!(telemetry::RECONCILE_LAST_COMPLETED).set(at.unix_timestamp() as f64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_in_major_units() {
        for (code, minor) in [("usd", 100_000), ("jpy", 1_000), ("kwd", 1_000_000)] {
            assert_eq!(major_units(minor, code.parse().unwrap()), 1_000.0, "{code}");
        }
    }
}
