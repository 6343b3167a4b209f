//! HTTP: the router, starting and stopping, problem+json, limits, the cross-site check.

pub mod accept;
pub mod client;
pub mod content_coding;
pub mod cross_site;
pub mod idempotency;
pub mod incidents;
pub mod linger;
pub mod listen;
pub mod metrics;
pub mod observe;
pub mod problem;
pub mod rate_limit;
pub mod router;
pub mod routes;
pub mod security_headers;
pub mod serve;
pub mod state;
pub mod trouble;
