//! What becomes known of a request while it is worked on, for all of its log lines and its trace.

use std::future::Future;
use tracing::{Instrument, Span};

tokio::task_local! {
    /// The span of the request that this task works on. Not the current span: that may be one further in.
    static REQUEST: Span;
}

/// Works on a request whose span this is.
pub async fn within<T>(span: Span, work: impl Future<Output = T>) -> T {
    REQUEST.scope(span.clone(), work.instrument(span)).await
}

/// The span of the request that is worked on; none outside of one.
pub fn span() -> Span {
    REQUEST.try_with(Span::clone).unwrap_or_else(|_| Span::none())
}

/// Notes the Stripe event that the request brings.
pub fn note_stripe_event(id: &str) {
    span().record("stripe_event_id", id);
}

/// Notes how many usage events the request brings, and which one, if it is one alone.
pub fn note_usage_events(count: usize, only: Option<&str>) {
    let span = span();
    span.record("usage_events", count);
    if let Some(id) = only {
        span.record("usage_event_id", id);
    }
}
