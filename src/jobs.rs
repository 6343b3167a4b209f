//! Background jobs: one file per job, and one scheduler.

mod alerts;
mod audit;
mod backfill;
mod billed_usage;
mod features;
mod fetch;
mod idempotency;
mod meters;
mod partitions;
mod reconcile;
mod reread;
mod sessions;
mod ship;
mod unpriced;
mod usage_check;
mod webhooks;

use crate::{
    service::{self, Platform},
    telemetry::{self, News, Outage, traces},
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use time::OffsetDateTime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// When the scheduler was last active.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat(Arc<AtomicI64>);

/// Without activity for this long, the jobs count as stuck; the most frequent one runs every few
/// seconds.
const SILENCE: time::Duration = time::Duration::minutes(2);

impl Heartbeat {
    fn beat(&self, now: OffsetDateTime) {
        self.0.store(now.unix_timestamp(), Ordering::Relaxed);
    }

    pub fn is_alive(&self, now: OffsetDateTime) -> bool {
        now.unix_timestamp() - self.0.load(Ordering::Relaxed) <= SILENCE.whole_seconds()
    }
}

/// The running jobs.
pub struct Running(JoinSet<()>);

impl Running {
    /// Waits until each job has finished its current run.
    pub async fn finish(mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

/// Starts every job; they end after `stop`.
pub fn start(platform: &Platform, stop: CancellationToken) -> (Heartbeat, Running) {
    let heartbeat = Heartbeat::default();
    heartbeat.beat(platform.clock.now());
    let mut jobs = JoinSet::new();
    jobs.spawn(every(webhooks::EVERY, "webhooks", webhooks::run, platform.clone(), heartbeat.clone(), stop.clone()));
    let (stopping, fetching, metering, reconciling, rereading) = (stop.clone(), stop.clone(), stop.clone(), stop.clone(), stop.clone());
    let backfill = move |platform| backfill::run(platform, stopping.clone());
    jobs.spawn(every(backfill::EVERY, "backfill", backfill, platform.clone(), heartbeat.clone(), stop.clone()));
    let fetch = move |platform| fetch::run(platform, fetching.clone());
    jobs.spawn(every(fetch::EVERY, "fetch", fetch, platform.clone(), heartbeat.clone(), stop.clone()));
    let meters = move |platform| meters::run(platform, metering.clone());
    jobs.spawn(every(meters::EVERY, "meters", meters, platform.clone(), heartbeat.clone(), stop.clone()));
    let sealer = Arc::default();
    let audit = move |platform| audit::run(platform, Arc::clone(&sealer));
    jobs.spawn(every(audit::EVERY, "audit", audit, platform.clone(), heartbeat.clone(), stop.clone()));
    let reconcile = move |platform| reconcile::run(platform, reconciling.clone());
    jobs.spawn(every(reconcile::EVERY, "reconcile", reconcile, platform.clone(), heartbeat.clone(), stop.clone()));
    let reread = move |platform| reread::run(platform, rereading.clone());
    jobs.spawn(every(reread::EVERY, "reread", reread, platform.clone(), heartbeat.clone(), stop.clone()));
    jobs.spawn(every(alerts::EVERY, "alerts", alerts::run, platform.clone(), heartbeat.clone(), stop.clone()));
    jobs.spawn(every(partitions::EVERY, "partitions", partitions::run, platform.clone(), heartbeat.clone(), stop.clone()));
    jobs.spawn(every(billed_usage::EVERY, "billed_usage", billed_usage::run, platform.clone(), heartbeat.clone(), stop.clone()));
    jobs.spawn(every(ship::EVERY, "ship", ship::run, platform.clone(), heartbeat.clone(), stop.clone()));
    jobs.spawn(every(usage_check::EVERY, "usage_check", usage_check::run, platform.clone(), heartbeat.clone(), stop.clone()));
    let reported = Arc::default();
    let unpriced = move |platform| unpriced::run(platform, Arc::clone(&reported));
    jobs.spawn(every(unpriced::EVERY, "unpriced", unpriced, platform.clone(), heartbeat.clone(), stop.clone()));
    jobs.spawn(every(features::EVERY, "features", features::run, platform.clone(), heartbeat.clone(), stop.clone()));
    jobs.spawn(every(idempotency::EVERY, "idempotency", idempotency::run, platform.clone(), heartbeat.clone(), stop.clone()));
    jobs.spawn(every(sessions::EVERY, "sessions", sessions::run, platform.clone(), heartbeat.clone(), stop));
    (heartbeat, Running(jobs))
}

/// Runs a job repeatedly until the stop. A failed run is retried at the next interval. Its metrics
/// exist before the first run.
fn every<F, Fut>(
    period: Duration,
    name: &'static str,
    run: F,
    platform: Platform,
    heartbeat: Heartbeat,
    stop: CancellationToken,
) -> impl Future<Output = ()>
where
    F: Fn(Platform) -> Fut,
    Fut: Future<Output = service::Result<()>>,
{
    metrics::gauge!(telemetry::JOB_INTERVAL_SECONDS, "name" => name).set(period.as_secs_f64());
    metrics::gauge!(telemetry::JOB_LAST_SUCCESS, "name" => name).set(platform.clock.now().unix_timestamp() as f64);
    let runs = |result| metrics::counter!(telemetry::JOB_RUNS, "name" => name, "result" => result);
    let (good, bad) = (runs("ok"), runs("failed"));
    async move {
        let mut outage = Outage::default();
        let mut turns = tokio::time::interval(period);
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(turns.tick()).await.is_some() {
            let started = Instant::now();
            match run(platform.clone())
                .instrument(tracing::info_span!("job", job = name, otel.name = traces::on().then(|| format!("job {name}"))))
                .await
            {
                Ok(()) => {
                    good.increment(1);
                    if let Some(News::Over { failures, seconds }) = outage.worked(Instant::now()) {
                        tracing::info!(job = name, failures, seconds, "job works again");
                    }
                    metrics::gauge!(telemetry::JOB_LAST_SUCCESS, "name" => name).set(platform.clock.now().unix_timestamp() as f64);
                }
                Err(error) => {
                    bad.increment(1);
                    // Some jobs run every second, so failures are logged at the start of an outage
                    // and then each minute.
                    match outage.failed(Instant::now()) {
                        Some(News::Lasts { failures, seconds }) => {
                            tracing::error!(job = name, %error, failures, seconds, "job still fails")
                        }
                        Some(_) => tracing::error!(job = name, %error, "job failed"),
                        None => tracing::debug!(job = name, %error, "job failed"),
                    }
                    service::audit::job_failed(&platform, name, &error);
                }
            }
            metrics::histogram!(telemetry::JOB_SECONDS, "name" => name).record(started.elapsed().as_secs_f64());
            heartbeat.beat(platform.clock.now());
        }
    }
}
