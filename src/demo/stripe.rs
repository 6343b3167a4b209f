//! The demo's Stripe: the stand-in in the server's process, with the mirror's objects and a few
//! differences that reconciliation finds.
//!
//! It stores nothing: each start fills it again from the database, with the differences that are
//! not repaired yet.

mod differences;
mod objects;
mod usage;

use super::Year;
use crate::{
    config::{Config, Secret},
    service::Platform,
    stripe_stand_in::{
        StandIn,
        store::{integer, text},
        webhooks::Endpoint,
    },
};
use anyhow::Context;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};
use time::OffsetDateTime;

/// Its address; if this port is in use, a free port of the same host.
const ADDRESS: &str = "127.0.0.1:12111";
const FREE_PORT: &str = "127.0.0.1:0";

/// Its secret key.
pub const KEY: &str = "sk_test_demo";

/// Its webhooks arrive within a moment, so a reconciliation only needs a short wait before the
/// second comparison.
const SETTLE_SECONDS: u32 = 3;

/// The running stand-in of a demo; it stops when this is dropped.
pub struct DemoStripe {
    stand_in: StandIn,
}

impl DemoStripe {
    /// Starts it and points the settings to it. None if the settings contain a Stripe key.
    ///
    /// # Errors
    /// It can't listen.
    pub async fn start(config: &mut Config) -> anyhow::Result<Option<DemoStripe>> {
        if config.names_stripe() {
            return Ok(None);
        }
        let stand_in = match StandIn::listen(ADDRESS, KEY, OffsetDateTime::now_utc).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => StandIn::listen(FREE_PORT, KEY, OffsetDateTime::now_utc).await,
            other => other,
        }
        .context("the stand-in for Stripe can't listen on 127.0.0.1; `--no-stripe` starts the demo without it")?;
        config.stripe_secret_key = Some(Secret(KEY.to_owned()));
        config.stripe_livemode = Some(false);
        config.stripe_api_base = stand_in.base_url().trim_end_matches('/').to_owned();
        config.file.reconcile.settle_seconds = config.file.reconcile.settle_seconds.min(SETTLE_SECONDS);
        Ok(Some(DemoStripe { stand_in }))
    }

    /// Fills it with the mirror's objects, the usage that was sent, and the unrepaired differences.
    /// Returns the platform that sends usage to it.
    pub async fn fill(&self, platform: &Platform, year: &Year) -> anyhow::Result<Platform> {
        objects::fill(&self.stand_in, platform).await?;
        differences::seed(&self.stand_in, platform, year).await?;
        let platform = usage::turn_on(platform).await?;
        usage::fill(&self.stand_in, &platform).await?;
        Ok(platform)
    }

    /// Delivers new events to the server at this address.
    pub fn deliver_to(&self, server: SocketAddr, secret: &Secret) {
        let host = if server.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { server.ip() };
        let url = format!("http://{}/api/v1/webhooks/stripe", SocketAddr::new(host, server.port()));
        self.stand_in.deliver_to(Endpoint::new(url, secret.0.clone()));
    }

    /// With a trailing slash.
    pub fn base_url(&self) -> String {
        self.stand_in.base_url()
    }

    /// The newest payable invoice that is open here too.
    pub fn payable_invoice(&self) -> Option<String> {
        let store = self.stand_in.shared.store();
        let payable = |invoice: &&serde_json::Value| invoice["status"] == "open" && integer(invoice, "amount_remaining") > 0;
        let open = store.all("invoice").objects.values().rev().filter(payable);
        open.map(|invoice| text(invoice, "id").to_owned()).find(|id| !differences::is_seeded(id, &store))
    }
}
