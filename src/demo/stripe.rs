//! The demo's Stripe: the stand-in beside the server, filled with what the mirror holds, but for a few differences that
//! reconciliation finds.
//!
//! It keeps nothing: each start fills it again from the database, with those differences that no repair has reached yet.

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

/// Where it listens; on a free port of the same host while this one is taken.
const ADDRESS: &str = "127.0.0.1:12111";
const FREE_PORT: &str = "127.0.0.1:0";

/// The secret key that it takes.
pub const KEY: &str = "sk_test_demo";

/// Its webhooks arrive within a moment, so that a reconciliation needs no long wait before it looks again.
const SETTLE_SECONDS: u32 = 3;

/// The running stand-in of a demo; it stops when this is dropped.
pub struct DemoStripe {
    stand_in: StandIn,
}

impl DemoStripe {
    /// Starts it and connects the settings to it. None where they name a Stripe of the operator's.
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
        config.file.reconcile.settle_seconds = SETTLE_SECONDS;
        Ok(Some(DemoStripe { stand_in }))
    }

    /// Fills it with what the mirror holds and what was sent of usage, and with the differences that are not repaired
    /// yet. Gives the platform that sends usage to it.
    pub async fn fill(&self, platform: &Platform, year: &Year) -> anyhow::Result<Platform> {
        objects::fill(&self.stand_in, platform).await?;
        differences::seed(&self.stand_in, platform, year).await?;
        let platform = usage::turn_on(platform).await?;
        usage::fill(&self.stand_in, &platform).await?;
        Ok(platform)
    }

    /// Delivers what happens from now on to the server at this address.
    pub fn deliver_to(&self, server: SocketAddr, secret: &Secret) {
        let host = if server.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { server.ip() };
        let url = format!("http://{}/api/v1/webhooks/stripe", SocketAddr::new(host, server.port()));
        self.stand_in.deliver_to(Endpoint::new(url, secret.0.clone()));
    }

    /// With a slash at the end.
    pub fn base_url(&self) -> String {
        self.stand_in.base_url()
    }

    /// The newest invoice that can be paid and is open here too.
    pub fn payable_invoice(&self) -> Option<String> {
        let store = self.stand_in.shared.store();
        let payable = |invoice: &&serde_json::Value| invoice["status"] == "open" && integer(invoice, "amount_remaining") > 0;
        let open = store.all("invoice").objects.values().rev().filter(payable);
        open.map(|invoice| text(invoice, "id").to_owned()).find(|id| !differences::is_seeded(id, &store))
    }
}
