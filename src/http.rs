//! HTTP: the router, starting and stopping, problem+json, limits, the cross-site check.

pub mod accept;
pub mod canonical_path;
pub mod client;
pub mod connection_shares;
pub mod content_coding;
pub mod cross_site;
pub mod idempotency;
pub mod incidents;
pub mod linger;
pub mod listen;
pub mod login_email;
pub mod metrics;
pub mod observe;
pub mod problem;
pub mod rate_limit;
pub mod router;
pub mod routes;
pub mod security_headers;
pub mod serve;
pub mod stalled_writes;
pub mod state;
pub mod trouble;
