//! What tests stand on: an app on a database of its own, and people who use it.

pub mod app;
pub mod clickhouse;
pub mod client;
pub mod database;
pub mod program;
pub mod smtp;
pub mod stand_in;

pub use app::TestApp;
pub use client::Client;
