//! A router that knows its paths, so that a test can hold the API's document against them.

use crate::http::state::Server;
use axum::{Router, routing::MethodRouter};

/// axum's router under construction, and every path that it was given.
#[derive(Default)]
pub struct Routes {
    router: Router<Server>,
    paths: Vec<&'static str>,
}

impl Routes {
    pub fn route(mut self, path: &'static str, methods: MethodRouter<Server>) -> Routes {
        self.router = self.router.route(path, methods);
        self.paths.push(path);
        self
    }

    pub fn into_router(self) -> Router<Server> {
        self.router
    }

    pub fn paths(&self) -> &[&'static str] {
        &self.paths
    }
}
