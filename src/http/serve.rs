//! Starting and stopping: opens what the server needs, serves, and on Ctrl-C or SIGTERM lets running requests finish.

use super::{metrics, router::router, state::Server};
use crate::{
    cli::Session,
    jobs,
    service::{features, ingest},
};
use anyhow::{Context, anyhow};
use axum::serve::ListenerExt;
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
    // Before anything is counted.
    let metrics = metrics::router(&platform)?;
    let metrics = tokio::spawn(axum::serve(metrics_listener, metrics).with_graceful_shutdown(stop.clone().cancelled_owned()).into_future());
    let (heartbeat, jobs) = jobs::start(&platform, stop.clone());
    let server = Server::new(platform, heartbeat);
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
    metrics.await?.context("metrics")
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
