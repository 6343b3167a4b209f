//! Start and shutdown: opens what the server needs, serves, and stops without failing a request.
//! First `/readyz` fails and responses close their connections, while all requests are still
//! served. Then no new connection is accepted, and requests and jobs finish.

use super::{
    accept::{self, Limits, Stop},
    listen::Sockets,
    metrics,
    router::router,
};
use crate::{
    api,
    http::{connection_shares::ConnectionShares, state::Server},
    jobs,
    service::{Clock, Platform, features, health::Heartbeat, ingest, second_factor},
    telemetry,
};
use anyhow::{Context, bail};
use sd_notify::NotifyState;
use std::net::SocketAddr;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Maximum number of connections to the metrics address.
const METRICS_CONNECTIONS: usize = 64;

/// Serves until the shutdown. `ready` is called with the public and the metrics address as soon as
/// requests are served.
pub async fn serve(platform: Platform, mut sockets: Sockets, ready: impl FnOnce(SocketAddr, SocketAddr)) -> anyhow::Result<()> {
    let (config, clock) = (platform.config.clone(), platform.clock.clone());
    let settings = &config.file.serving;
    if settings.reuse_port.is_some() {
        tracing::warn!("reuse-port in Leptos.toml has no effect; remove the line");
    }
    features::refresh(&platform).await.context("the feature switches can't be read")?;
    ingest::prepare(&platform).await.context("usage events can't be accepted")?;
    second_factor::reseal(&platform).await.context("the secrets of authenticator apps can't be re-encrypted with SECRETS_KEY")?;
    let listener = sockets.open("http", config.leptos.site_addr, "LEPTOS_SITE_ADDR")?;
    let metrics_listener = sockets.open("metrics", config.metrics_addr, "METRICS_ADDR")?;
    let (address, metrics_address) = (listener.local_addr()?, metrics_listener.local_addr()?);

    let stop = Stop::default();
    // Before any measurement.
    let metrics_app = metrics::router(&platform)?;
    let (heartbeat, jobs) = jobs::start(&platform, stop.announced.clone());
    let incidents = platform.incidents.clone();
    let server = Server::new(platform, heartbeat.clone());
    let app = router(server.clone());
    let connections = accept::fitting(settings.max_connections.get());
    let limits = Limits {
        connections,
        head_within: settings.head(),
        write_within: settings.write(),
        shares: Some(ConnectionShares::new(settings.connections_per_address.get(), config.trusted_proxies.clone())),
        open: Some(::metrics::gauge!(telemetry::HTTP_CONNECTIONS)),
    };
    // The metrics stay reachable, however many connections the public address has.
    let of_metrics = Limits { connections: METRICS_CONNECTIONS, shares: None, open: None, ..limits.clone() };
    let metrics_app = metrics_app.merge(api::health::probes().with_state(server.clone()));
    let mut serving = tokio::spawn(accept::serve(listener, app, limits, stop.clone()));
    let mut serving_metrics = tokio::spawn(accept::serve(metrics_listener, metrics_app, of_metrics, stop.clone()));
    let watchdog = tokio::spawn(watchdog(heartbeat, clock));
    let mut signals = Signals::new()?;
    ready(address, metrics_address);
    notify(NotifyState::Ready);

    let shutdown = tokio::select! {
        shutdown = signals.next() => shutdown,
        ended = &mut serving => bail!("the server's loop ended: {ended:?}"),
        ended = &mut serving_metrics => bail!("the metrics' loop ended: {ended:?}"),
    };
    tracing::info!("stopping");
    notify(NotifyState::Stopping);
    server.begin_stopping();
    stop.announced.cancel();
    let finished = async {
        if shutdown == Shutdown::Terminate {
            tokio::time::sleep(settings.unready()).await;
        }
        stop.closing.cancel();
        let rest = async { (serving.await, serving_metrics.await, jobs.finish().await, incidents.settled().await) };
        if tokio::time::timeout(settings.drain(), rest).await.is_err() {
            tracing::warn!("requests or jobs still running after {} s were aborted", settings.drain_seconds);
        }
    };
    let stopped = tokio::select! {
        () = finished => Ok(()),
        _ = signals.next() => Err(anyhow::anyhow!("second signal: running requests and jobs were aborted")),
    };
    watchdog.abort();
    stopped
}

/// Who requests the shutdown: in a terminal, only running requests are awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shutdown {
    Interrupt,
    Terminate,
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Signals> {
        let of = |kind| signal(kind).context("signals can't be handled");
        Ok(Signals { interrupt: of(SignalKind::interrupt())?, terminate: of(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Shutdown {
        tokio::select! {
            _ = self.interrupt.recv() => Shutdown::Interrupt,
            _ = self.terminate.recv() => Shutdown::Terminate,
        }
    }
}

/// Notifies systemd, if it requested that.
fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "NOTIFY_SOCKET");
    }
}

/// Notifies systemd's watchdog as long as jobs make progress.
async fn watchdog(jobs: Heartbeat, clock: Clock) {
    let Some(patience) = sd_notify::watchdog_enabled() else { return };
    let mut turns = tokio::time::interval(patience / 2);
    loop {
        turns.tick().await;
        if jobs.is_alive(clock.now()) {
            notify(NotifyState::Watchdog);
        }
    }
}
