//! The app builder of the integration tests, for the one unit test that starts a server.

#[path = "../it/support/app.rs"]
pub mod app;
#[path = "../it/support/client.rs"]
pub mod client;
#[path = "../it/support/database.rs"]
pub mod database;
