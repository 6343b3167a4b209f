//! Accepts connections, serves them with the router, and closes them without failing a request.

use super::listen::Listener;
use crate::{
    http::{connection_shares::ConnectionShares, stalled_writes::StalledWrites},
    telemetry,
};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderValue, header},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    io::{ErrorKind, Write},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// Maximum number of headers; more are a 431.
const MOST_HEADERS: usize = 100;
/// Maximum size of a request's line and headers; more is a 431.
const MOST_HEAD_BYTES: usize = 64 * 1024;
/// How long a connection accepted before the shutdown may take to send its first request.
const FIRST_WITHIN: Duration = Duration::from_secs(1);
/// File descriptors for other uses: the database, Stripe, fonts, pages.
const OTHER_FILES: u64 = 256;
/// How often the connection limit is logged.
const REMINDED: Duration = Duration::from_secs(60);

/// Limits of connections.
#[derive(Clone)]
pub struct Limits {
    /// Maximum number of open connections. Further ones wait in the kernel's queue.
    pub connections: usize,
    /// Time limit for a request's line and headers, so that slow clients can't hold connections;
    /// idle connections are closed after it.
    pub head_within: Duration,
    /// A client that reads nothing of its response for this long is disconnected.
    pub write_within: Duration,
    /// The limit per address; None for internal listeners.
    pub shares: Option<ConnectionShares>,
    /// Counts open connections.
    pub open: Option<metrics::Gauge>,
}

/// The stage of the shutdown.
#[derive(Clone, Default)]
pub struct Stop {
    /// Every response closes its connection. New connections are still accepted.
    pub announced: CancellationToken,
    /// No new connections. Running requests finish.
    pub closing: CancellationToken,
}

/// Serves until every connection has ended, after `stop`.
pub async fn serve(listener: Listener, app: Router, limits: Limits, stop: Stop) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut logged: Option<Instant> = None;
    loop {
        if places.available_permits() == 0 && logged.is_none_or(|logged| logged.elapsed() >= REMINDED) {
            logged = Some(Instant::now());
            tracing::warn!(connections = limits.connections, "the connection limit is reached; new connections wait");
        }
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place.ok(),
            () = stop.closing.cancelled() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.closing.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let share = match limits.shares.as_ref().map(|shares| shares.take(peer.ip())) {
                    Some(None) => {
                        refuse(stream, peer);
                        continue;
                    }
                    share => share.flatten(),
                };
                let serving = connection(stream, peer, app.clone(), limits.clone(), stop.clone());
                connections.spawn(async move {
                    let _held = (place, share);
                    serving.await;
                });
            }
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                // Out of file descriptors or memory; some are released soon.
                tracing::error!(%error, "a connection can't be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    match listener.close() {
        Ok(waiting) => {
            for (stream, peer) in waiting {
                connections.spawn(connection(stream, peer, app.clone(), limits.clone(), stop.clone()));
            }
        }
        Err(error) => tracing::warn!(%error, "queued connections can't be accepted"),
    }
    connections.close();
    connections.wait().await;
}

/// The response to a connection over its address's limit.
const REFUSAL: &[u8] =
    b"HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 5\r\nContent-Type: text/plain\r\nContent-Length: 52\r\n\r\n\
    Too many connections from your address are open now.";

/// Sends the reason if possible without waiting, and closes the connection.
fn refuse(stream: TcpStream, peer: SocketAddr) {
    ::metrics::counter!(telemetry::HTTP_CONNECTIONS_REFUSED).increment(1);
    let answered = stream.into_std().and_then(|mut stream| stream.write_all(REFUSAL));
    tracing::debug!(%peer, ?answered, "connection refused: its address has reached its limit");
}

/// An open connection.
struct Open(Option<metrics::Gauge>);

impl Open {
    fn counted(gauge: Option<metrics::Gauge>) -> Open {
        gauge.iter().for_each(|gauge| gauge.increment(1.0));
        Open(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.iter().for_each(|gauge| gauge.decrement(1.0));
    }
}

/// The number of these connections that fits into the process's open-file limit, which is raised as
/// far as permitted.
pub fn fitting(connections: usize) -> usize {
    let mut files = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls only read or write the given value.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut files) } == 0;
    if !known {
        return connections;
    }
    let wanted = (connections as u64).saturating_add(OTHER_FILES);
    if files.rlim_cur < wanted {
        let more = libc::rlimit { rlim_cur: wanted.min(files.rlim_max), ..files };
        // SAFETY: as above.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &more) } == 0 {
            files = more;
        }
    }
    within(connections, files.rlim_cur)
}

fn within(connections: usize, files: u64) -> usize {
    let room = usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX).max(1);
    if room < connections {
        tracing::warn!(
            connections = room,
            wanted = connections,
            "fewer connections than max-connections: the process may open {files} files"
        );
    }
    connections.min(room)
}

async fn connection(stream: TcpStream, peer: SocketAddr, app: Router, limits: Limits, stop: Stop) {
    let _open = Open::counted(limits.open.clone());
    // Without TCP_NODELAY a response of several packets waits 40 ms for an acknowledgement.
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
    http.timer(TokioTimer::new()).header_read_timeout(limits.head_within).max_headers(MOST_HEADERS).max_buf_size(MOST_HEAD_BYTES);
    let mut serving = std::pin::pin!(http.serve_connection(TokioIo::new(StalledWrites::new(stream, limits.write_within)), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
        () = stop.closing.cancelled() => None,
    };
    let served = match ended {
        Some(served) => served,
        None => {
            let first = async {
                // A connected client is about to send a request, but hyper would close a connection
                // without one at once.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusals_content_length_is_right() {
        let text = std::str::from_utf8(REFUSAL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{text}");
    }

    #[test]
    fn connections_leave_files_for_everything_else() {
        assert_eq!(within(4096, 65_536), 4096);
        assert_eq!(within(4096, 1024), 768);
        assert_eq!(within(4096, 100), 1);
    }
}
