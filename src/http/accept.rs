//! Takes connections, serves each with the router, and lets go of them without failing a request.

use super::listen::Listener;
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderValue, header},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{io::ErrorKind, net::SocketAddr, time::Duration};
use tokio::net::TcpStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// How far stopping has come.
#[derive(Clone, Default)]
pub struct Stop {
    /// The end is near: every answer says that its connection ends with it. New connections are still taken.
    pub announced: CancellationToken,
    /// No new connections. What runs is finished.
    pub closing: CancellationToken,
}

/// Serves until every connection has ended, after `stop`.
pub async fn serve(listener: Listener, app: Router, stop: Stop) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.closing.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => drop(connections.spawn(connection(stream, peer, app.clone(), stop.clone()))),
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                // No descriptors or no memory: some come free.
                tracing::error!(%error, "a connection can't be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    match listener.close() {
        Ok(waiting) => {
            for (stream, peer) in waiting {
                connections.spawn(connection(stream, peer, app.clone(), stop.clone()));
            }
        }
        Err(error) => tracing::warn!(%error, "connections that were waiting can't be taken"),
    }
    connections.close();
    connections.wait().await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, app: Router, stop: Stop) {
    // Without it an answer of more than one packet waits 40 ms for an acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let announced = stop.announced.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (app, announced) = (app.clone(), announced.clone());
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let mut answer = app.oneshot(request).await?;
            if announced.is_cancelled() {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let mut serving = std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = stop.closing.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::trace!(%error, "a connection broke");
    }
}
