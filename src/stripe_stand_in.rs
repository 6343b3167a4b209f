//! A stateful stand-in for Stripe's API over HTTP: objects in Stripe's shapes that change as
//! Stripe's do, an event for each change, signed webhooks, and faults on demand. All state is in
//! memory.
//!
//! The demo and `apex-billing stripe-stand-in` serve it; integration tests run it in process. No
//! other part of the product uses it, and it only uses `domain::money` to print amounts: so it is
//! an independent implementation to test against.

mod clock;
mod controls;
mod credit_notes;
mod customers;
pub mod errors;
pub mod faults;
pub mod form;
mod idempotency;
mod invoices;
pub mod lines;
mod lists;
pub mod locked;
mod metered;
mod meters;
pub mod overlaps;
mod payments;
mod portal;
mod routes;
pub mod server;
pub mod store;
mod subscriptions;
mod tax_rates;
pub mod webhooks;

use axum::Router;
use clock::Clock;
use server::Shared;
use std::{io, sync::Arc};
use time::OffsetDateTime;
use tokio::{net::TcpListener, task::JoinHandle};

/// A running stand-in; it stops when this is dropped.
pub struct StandIn {
    pub shared: Arc<Shared>,
    base_url: String,
    serving: JoinHandle<io::Result<()>>,
}

impl StandIn {
    /// Listens on an address such as `127.0.0.1:12111`; port 0 means any free port.
    pub async fn listen(address: &str, secret_key: &str, now: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> io::Result<StandIn> {
        let listener = TcpListener::bind(address).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared::new(secret_key, Clock::new(now), base_url.clone()));
        let router = Router::new().fallback(server::handle).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(StandIn { shared, base_url, serving })
    }

    /// For `STRIPE_API_BASE`, with a trailing slash.
    pub fn base_url(&self) -> String {
        format!("{}/", self.base_url)
    }

    /// For `STRIPE_SECRET_KEY`.
    pub fn secret_key(&self) -> &str {
        &self.shared.secret_key
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
