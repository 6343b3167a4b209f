//! State shared by handlers.

use super::rate_limit::AnonymousRequests;
use crate::{
    app::assets::Assets,
    service::{Platform, health::Heartbeat},
};
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The router's state; cheap to clone, because each request's layers clone it.
#[derive(Clone)]
pub struct Server {
    pub platform: Platform,
    parts: Arc<Parts>,
}

/// The parts of a [`Server`] besides the platform.
pub struct Parts {
    pub jobs: Heartbeat,
    pub anonymous: AnonymousRequests,
    pub assets: Assets,
    stopping: AtomicBool,
}

impl std::ops::Deref for Server {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Server {
    pub fn new(platform: Platform, jobs: Heartbeat) -> Server {
        let config = &platform.config;
        let anonymous = AnonymousRequests::new(&config.file.serving);
        let assets = Assets::read(&config.leptos.site_root, &config.leptos.site_pkg_dir).unwrap_or_else(|error| {
            tracing::error!(%error, site_root = &*config.leptos.site_root, "assets.json unreadable; pages have neither style nor scripts");
            Assets::default()
        });
        Server { platform, parts: Arc::new(Parts { jobs, anonymous, assets, stopping: AtomicBool::new(false) }) }
    }
}

impl Parts {
    /// From now on `/readyz` fails, so that load balancers stop sending requests.
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
