//! Facts learned while a request is handled, for all its log lines and its trace.

use std::future::Future;
use tracing::{Instrument, Span};

tokio::task_local! {
    /// The span of this task's request. Not the current span, which may be nested.
    static REQUEST: Span;
}

/// Runs a request's future with its span.
pub async fn within<T>(span: Span, work: impl Future<Output = T>) -> T {
    REQUEST.scope(span.clone(), work.instrument(span)).await
}

/// The current request's span; a disabled span outside a request.
pub fn span() -> Span {
    REQUEST.try_with(Span::clone).unwrap_or_else(|_| Span::none())
}

/// Records the request's Stripe event.
pub fn note_stripe_event(id: &str) {
    span().record("stripe_event_id", id);
}

/// Records the number of usage events of the request, and the id of a single one.
pub fn note_usage_events(count: usize, only: Option<&str>) {
    let span = span();
    span.record("usage_events", count);
    if let Some(id) = only {
        span.record("usage_event_id", id);
    }
}
