//! Test support: an app with its own database, and clients.

pub mod app;
pub mod clickhouse;
pub mod client;
pub mod database;
pub mod program;
pub mod smtp;
pub mod stand_in;

pub use app::TestApp;
pub use client::Client;
