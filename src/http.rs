//! Shared by all handlers: state, extractors, problem+json, limits, and the layers in front of
//! routes.

pub mod audit_refusals;
pub mod canonical_path;
pub mod client;
pub mod compression;
pub mod conditional;
pub mod connection_shares;
pub mod content_coding;
pub mod cross_site;
pub mod drain_body;
pub mod error_page;
pub mod extract;
pub mod idempotency;
pub mod language;
pub mod login_email;
pub mod page;
pub mod problem;
pub mod rate_limit;
pub mod request;
pub mod request_log;
pub mod security_headers;
pub mod session;
mod session_error;
pub mod stalled_writes;
pub mod state;
pub mod static_files;
pub mod unsaved;
