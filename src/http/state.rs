//! What handlers share.

use super::rate::Rates;
use crate::{jobs::Heartbeat, service::Platform};
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The state of the router; cheap to clone.
#[derive(Clone)]
pub struct Server {
    pub platform: Platform,
    pub jobs: Heartbeat,
    pub rates: Rates,
    stopping: Arc<AtomicBool>,
}

impl Server {
    pub fn new(platform: Platform, jobs: Heartbeat) -> Server {
        let rates = Rates::new(platform.config.file.limits.anonymous_requests_per_second);
        Server { platform, jobs, rates, stopping: Arc::default() }
    }

    /// From here on `/readyz` says no, so that a load balancer sends nobody any more.
    pub fn begin_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

impl FromRef<Server> for LeptosOptions {
    fn from_ref(server: &Server) -> LeptosOptions {
        server.platform.config.leptos.clone()
    }
}
