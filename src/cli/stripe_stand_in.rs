//! `apex-billing stripe-stand-in`.

use crate::stripe_stand_in::StandIn;
use anyhow::Context;
use clap::Args;
use std::net::SocketAddr;
use time::OffsetDateTime;

/// Serve a stand-in for Stripe's API, for trying and testing the product without a Stripe account
#[derive(Args)]
#[command(
    after_help = "It starts empty and keeps its objects in memory; docs/develop/stripe-stand-in.md lists what it serves and its controls.\n\nExamples:\n  apex-billing stripe-stand-in\n  STRIPE_SECRET_KEY=sk_test_stand_in STRIPE_API_BASE=http://127.0.0.1:12111/ apex-billing serve"
)]
pub struct StripeStandIn {
    /// Address to listen on; port 0 is a free one
    #[arg(long, env = "STRIPE_STAND_IN_ADDR", default_value = "127.0.0.1:12111")]
    addr: SocketAddr,
    /// The secret key that its clients send
    #[arg(long, env = "STRIPE_STAND_IN_KEY", default_value = "sk_test_stand_in")]
    secret_key: String,
}

impl StripeStandIn {
    pub async fn run(self) -> anyhow::Result<()> {
        if !self.addr.ip().is_loopback() {
            eprintln!(
                "apex-billing: {} is not a loopback address: every client that can reach it can change the stand-in's objects",
                self.addr
            );
        }
        let stand_in = StandIn::listen(&self.addr.to_string(), &self.secret_key, OffsetDateTime::now_utc)
            .await
            .with_context(|| format!("the stand-in for Stripe can't listen on {}: set --addr", self.addr))?;
        println!("Stripe stand-in on {}", stand_in.base_url());
        println!("Connect a server to it:\n");
        println!("  STRIPE_SECRET_KEY={} STRIPE_API_BASE={} apex-billing serve\n", stand_in.secret_key(), stand_in.base_url());
        tokio::signal::ctrl_c().await?;
        Ok(())
    }
}
