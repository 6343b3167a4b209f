//! Listening: the router with all its layers, sockets and connections, start and shutdown, metrics.

pub mod accept;
pub mod listen;
pub mod metrics;
mod pages;
pub mod router;
pub mod serve;
