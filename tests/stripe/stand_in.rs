//! A stateful stand-in for Stripe's API, over HTTP on loopback: objects with Stripe's shapes that change as Stripe's do, events of every
//! change, signed webhooks, and trouble on demand.
//!
//! Used in process by the integration tests and as a program by itself (`make stripe`).

mod credit_notes;
mod customers;
pub mod errors;
pub mod faults;
pub mod form;
mod idempotency;
mod invoices;
pub mod lines;
mod lists;
mod meters;
pub mod overlaps;
mod payments;
mod routes;
pub mod server;
pub mod store;
mod subscriptions;
mod tax_rates;
pub mod webhooks;

use apex_billing::service::Clock;
use axum::Router;
use server::Shared;
use std::{io, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};

/// A running stand-in; it stops when this is dropped.
pub struct StandIn {
    pub shared: Arc<Shared>,
    base_url: String,
    serving: JoinHandle<io::Result<()>>,
}

impl StandIn {
    /// Listens on an address such as `127.0.0.1:12111`; port 0 is a free one.
    pub async fn listen(address: &str, secret_key: &str, clock: Clock) -> io::Result<StandIn> {
        let listener = TcpListener::bind(address).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared::new(secret_key, clock, base_url.clone()));
        let router = Router::new().fallback(server::handle).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(StandIn { shared, base_url, serving })
    }

    /// For `STRIPE_API_BASE`, with a slash at the end.
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
