//! Starting and stopping: opens what the server needs, serves, and on Ctrl-C or SIGTERM lets running requests finish.

use super::{router::router, state::Server};
use crate::{
    cli::Session,
    jobs,
    service::{features, ingest},
    telemetry,
};
use anyhow::{Context, anyhow};
use axum::{Router, routing::get, serve::ListenerExt};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use std::{io::ErrorKind, net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Requests that run when the server is told to stop have this long to finish.
const DRAIN: Duration = Duration::from_secs(20);

/// Serves until Ctrl-C or SIGTERM. `ready` is called with the public address and that of the
/// metrics as soon as requests are answered.
pub async fn serve(session: &Session, ready: impl FnOnce(SocketAddr, SocketAddr)) -> anyhow::Result<()> {
    let platform = session.platform.clone();
    let config = &platform.config;
    let listener = bind(config.leptos.site_addr, "LEPTOS_SITE_ADDR").await?;
    let metrics_listener = bind(config.metrics_addr, "METRICS_ADDR").await?;
    let (address, metrics_address) = (listener.local_addr()?, metrics_listener.local_addr()?);
    features::refresh(&platform).await.context("the features' switches can't be read")?;
    ingest::prepare(&platform).await.context("usage events can't be taken")?;

    let stop = CancellationToken::new();
    let (heartbeat, jobs) = jobs::start(&platform, stop.clone());
    let server = Server::new(platform, heartbeat);
    let metrics = tokio::spawn(serve_metrics(metrics_listener, stop.clone()));
    let app = router(server.clone()).into_make_service_with_connect_info::<SocketAddr>();
    // Without it an answer of more than one packet waits 40 ms for an acknowledgement.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
    });
    let serving = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
    ready(address, metrics_address);

    let mut serving = std::pin::pin!(serving.into_future());
    tokio::select! {
        result = &mut serving => result?,
        () = told_to_stop() => {
            server.begin_stopping();
            stop.cancel();
            tracing::info!("stopping");
            if tokio::time::timeout(DRAIN, serving).await.is_err() {
                tracing::warn!("requests were still running after {} s", DRAIN.as_secs());
            }
        }
    }
    stop.cancel();
    jobs.finish().await;
    metrics.await?
}

async fn bind(address: SocketAddr, variable: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!("{address} is taken by another program; {variable} sets another address"),
        _ => anyhow!("{variable}: can't listen on {address}: {error}"),
    })
}

async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(interrupt.await),
    }
}

/// Prometheus text on its own address, never on the public one.
async fn serve_metrics(listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
    // Buckets around the targets of the deployment checklist: 0.5 s for usage, 1 s for invoices, 2 s for a PDF.
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0])?
        .set_buckets_for_metric(
            Matcher::Full(telemetry::WEBHOOK_LAG_SECONDS.into()),
            &[1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 86400.0],
        )?
        .install_recorder()
        .context("metrics")?;
    let app = Router::new().route(
        "/metrics",
        get(move || {
            recorder.run_upkeep();
            std::future::ready(recorder.render())
        }),
    );
    axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await.context("metrics")
}
