//! The stand-in's clock: the caller's, advanced by an offset.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use time::{Duration, OffsetDateTime};

#[derive(Clone)]
pub struct Clock {
    base: Arc<dyn Fn() -> OffsetDateTime + Send + Sync>,
    /// Seconds.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    pub fn new(base: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Clock {
        Clock { base: Arc::new(base), ahead: Arc::default() }
    }

    pub fn now(&self) -> OffsetDateTime {
        (self.base)() + Duration::seconds(self.ahead.load(Ordering::Relaxed))
    }

    pub fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }
}
