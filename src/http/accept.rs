//! Takes connections, serves each with the router, and lets go of them without failing a request.

use super::listen::Listener;
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderValue, header},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// A request's line and headers have this long to come, so that nobody holds connections by sending slowly; an idle one is closed after it.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// Headers of a request at most; more are a 431.
const MOST_HEADERS: usize = 100;
/// Bytes of a request's line and headers at most; more are a 431.
const MOST_HEAD_BYTES: usize = 64 * 1024;
/// A connection that was taken before the end has this long to bring its first request.
const FIRST_WITHIN: Duration = Duration::from_secs(1);

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
    let asked = AtomicBool::new(false);
    let service = service_fn(|request: Request<Incoming>| {
        let (app, announced) = (app.clone(), announced.clone());
        asked.store(true, Ordering::Relaxed);
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
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_headers(MOST_HEADERS).max_buf_size(MOST_HEAD_BYTES);
    let mut serving = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
        () = stop.closing.cancelled() => None,
    };
    let served = match ended {
        Some(served) => served,
        None => {
            let first = async {
                // Whoever has connected is about to ask, and would not be heard: hyper closes at once what has not brought a request yet.
                if asked.load(Ordering::Relaxed) { None } else { tokio::time::timeout(FIRST_WITHIN, serving.as_mut()).await.ok() }
            };
            match first.await {
                Some(served) => served,
                None => {
                    serving.as_mut().graceful_shutdown();
                    serving.await
                }
            }
        }
    };
    if let Err(error) = served {
        tracing::trace!(%error, "a connection broke");
    }
}
