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
    service::{self, Platform, health::Heartbeat},
    telemetry::{self, News, Outage, traces},
};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// The running jobs.
pub struct Running(JoinSet<()>);

impl Running {
    /// Waits until each job has finished its current run.
    pub async fn finish(mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

/// A job: its name in logs and metrics, its interval, and one run.
struct Job {
    name: &'static str,
    every: Duration,
    run: Box<dyn Fn(Platform) -> Run + Send + Sync>,
}

type Run = Pin<Box<dyn Future<Output = service::Result<()>> + Send>>;

impl Job {
    fn new<F>(name: &'static str, every: Duration, run: impl Fn(Platform) -> F + Send + Sync + 'static) -> Job
    where
        F: Future<Output = service::Result<()>> + Send + 'static,
    {
        Job { name, every, run: Box::new(move |platform| Box::pin(run(platform))) }
    }

    /// A job whose run is long, and ends early when the server stops.
    fn long<F>(
        name: &'static str,
        every: Duration,
        run: impl Fn(Platform, CancellationToken) -> F + Send + Sync + 'static,
        stop: &CancellationToken,
    ) -> Job
    where
        F: Future<Output = service::Result<()>> + Send + 'static,
    {
        let stop = stop.clone();
        Job::new(name, every, move |platform| run(platform, stop.clone()))
    }

    /// A job that carries something from one run to the next.
    fn with_state<S, F>(name: &'static str, every: Duration, run: impl Fn(Platform, Arc<S>) -> F + Send + Sync + 'static) -> Job
    where
        S: Default + Send + Sync + 'static,
        F: Future<Output = service::Result<()>> + Send + 'static,
    {
        let state = Arc::<S>::default();
        Job::new(name, every, move |platform| run(platform, Arc::clone(&state)))
    }
}

/// Every job there is.
fn all(stop: &CancellationToken) -> Vec<Job> {
    vec![
        Job::new("alerts", alerts::EVERY, alerts::run),
        Job::with_state("audit", audit::EVERY, audit::run),
        Job::long("backfill", backfill::EVERY, backfill::run, stop),
        Job::new("billed_usage", billed_usage::EVERY, billed_usage::run),
        Job::new("features", features::EVERY, features::run),
        Job::long("fetch", fetch::EVERY, fetch::run, stop),
        Job::new("idempotency", idempotency::EVERY, idempotency::run),
        Job::long("meters", meters::EVERY, meters::run, stop),
        Job::new("partitions", partitions::EVERY, partitions::run),
        Job::long("reconcile", reconcile::EVERY, reconcile::run, stop),
        Job::long("reread", reread::EVERY, reread::run, stop),
        Job::new("sessions", sessions::EVERY, sessions::run),
        Job::new("ship", ship::EVERY, ship::run),
        Job::with_state("unpriced", unpriced::EVERY, unpriced::run),
        Job::new("usage_check", usage_check::EVERY, usage_check::run),
        Job::new("webhooks", webhooks::EVERY, webhooks::run),
    ]
}

/// Starts every job; they end after `stop`.
pub fn start(platform: &Platform, stop: CancellationToken) -> (Heartbeat, Running) {
    let heartbeat = Heartbeat::default();
    heartbeat.beat(platform.clock.now());
    let mut jobs = JoinSet::new();
    for job in all(&stop) {
        jobs.spawn(repeat(job, platform.clone(), heartbeat.clone(), stop.clone()));
    }
    (heartbeat, Running(jobs))
}

/// Runs a job repeatedly until the stop. A failed run is retried at the next interval. Its metrics
/// exist before the first run.
fn repeat(Job { name, every, run }: Job, platform: Platform, heartbeat: Heartbeat, stop: CancellationToken) -> impl Future<Output = ()> {
    metrics::gauge!(telemetry::JOB_INTERVAL_SECONDS, "name" => name).set(every.as_secs_f64());
    metrics::gauge!(telemetry::JOB_LAST_SUCCESS, "name" => name).set(platform.clock.now().unix_timestamp() as f64);
    let runs = |result| metrics::counter!(telemetry::JOB_RUNS, "name" => name, "result" => result);
    let (good, bad) = (runs("ok"), runs("failed"));
    async move {
        let mut outage = Outage::default();
        let mut turns = tokio::time::interval(every);
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
                    // Some jobs run each second: the first failure is logged, then one each minute.
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
