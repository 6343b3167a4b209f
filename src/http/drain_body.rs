//! Drains the body of a request that is refused before all of it has arrived.
//!
//! Closing a connection while the client still sends resets it, and the response can be lost: the client sees a broken pipe instead of the
//! error (RFC 9112, section 9.6). So the rest of the body is read and dropped, within limits.

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header,
    middleware::Next,
    response::Response,
};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

/// More than any path takes; whoever sends beyond it is cut off.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// Between two parts.
const PATIENCE: Duration = Duration::from_secs(2);
/// In all.
const WITHIN: Duration = Duration::from_secs(10);

/// Answers at once, and reads the rest of a refused request's body beside. Not of one that waits to be asked for its body, and not of one that
/// has been too slow already.
pub async fn drain_rejected(request: Request, next: Next) -> Response {
    let waits_to_be_asked = request.headers().contains_key(header::EXPECT);
    if waits_to_be_asked || request.body().is_end_stream() || request.body().size_hint().lower() > MOST_BYTES {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let mut rest = Shared(Arc::new(Mutex::new(body)));
    let response = next.run(Request::from_parts(head, Body::new(rest.clone()))).await;
    if response.status().is_client_error() && !rest.is_end_stream() {
        // As long as somebody reads the body, the connection goes on.
        tokio::spawn(tokio::time::timeout(WITHIN, async move {
            let mut left = MOST_BYTES;
            while let Ok(Some(Ok(frame))) = tokio::time::timeout(PATIENCE, rest.frame()).await {
                left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64));
                if left == 0 {
                    break;
                }
            }
        }));
    }
    response
}

/// A body that the handler reads, and after it whoever still has this.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl Shared {
    fn body(&self) -> MutexGuard<'_, Body> {
        // A body that panicked is at its end.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}
