//! What tests stand on: an app on a database of its own, and people who use it.

pub mod app;
mod client;
pub mod database;
pub mod smtp;

pub use app::TestApp;
