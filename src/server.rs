//! What listens: the router with all its layers, sockets and connections, starting and stopping, metrics.

pub mod accept;
pub mod listen;
pub mod metrics;
pub mod router;
pub mod serve;
