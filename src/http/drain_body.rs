//! Drains the rest of a request body after an early rejection.
//!
//! Closing a connection while the client still sends resets it, and the response may be lost: the
//! client sees a broken pipe instead of the error (RFC 9112, section 9.6). So the rest of the body
//! is read and dropped, within limits.

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

/// More than any path accepts; clients that send more are disconnected.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// Timeout between two parts.
const PATIENCE: Duration = Duration::from_secs(2);
/// Total timeout.
const WITHIN: Duration = Duration::from_secs(10);

/// Responds at once, and drains the rest of a rejected request's body in the background. Not for a
/// client that waits for `100 Continue`, and not after a timeout.
pub async fn drain_rejected(request: Request, next: Next) -> Response {
    let waits_to_be_asked = request.headers().contains_key(header::EXPECT);
    if waits_to_be_asked || request.body().is_end_stream() || request.body().size_hint().lower() > MOST_BYTES {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let mut rest = Shared(Arc::new(Mutex::new(body)));
    let response = next.run(Request::from_parts(head, Body::new(rest.clone()))).await;
    if response.status().is_client_error() && !rest.is_end_stream() {
        // The connection continues as long as the body is read.
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

/// A body that the handler reads first, and then another holder.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl Shared {
    fn body(&self) -> MutexGuard<'_, Body> {
        // After a panic the body is at its end.
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
