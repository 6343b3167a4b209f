//! `apex-billing serve` and `demo`.

use super::session::{Schema, Session};
use crate::{
    config::Config,
    demo::{self, Access, FirstRun, stripe::DemoStripe},
    server::{listen::Sockets, serve::serve},
};
use clap::Args;

/// Serve the console, the API and the webhooks
#[derive(Args)]
#[command(
    after_help = "Examples:\n  apex-billing serve\n  apex-billing serve --demo --no-stripe\n  LEPTOS_SITE_ADDR=0.0.0.0:8080 PUBLIC_URL=https://billing.example.com apex-billing serve --no-migrate"
)]
pub struct Serve {
    /// Create the demo data first, start a Stripe stand-in, and print the logins and what to try
    #[arg(long)]
    demo: bool,
    /// Serve the demo without the stand-in for Stripe
    #[arg(long, requires = "demo")]
    no_stripe: bool,
    /// Don't migrate the database's schema
    #[arg(long)]
    no_migrate: bool,
}

impl Serve {
    pub async fn run(self) -> anyhow::Result<()> {
        let sockets = Sockets::inherited()?;
        let mut config = Config::load()?;
        let made_up_secret = config.stripe_webhook_secrets.is_empty();
        if self.demo {
            // Without a load balancer, /readyz need not fail first.
            config.file.serving.unready_milliseconds = 0;
        }
        let access = if self.demo || made_up_secret { Some(Access::remembered(&mut config)?) } else { None };
        let stripe = if self.demo && !self.no_stripe { DemoStripe::start(&mut config).await? } else { None };
        let mut session = Session::with(config, if self.no_migrate { Schema::Unchanged } else { Schema::Migrate }).await?;
        if let Some(access) = access.as_ref().filter(|_| self.demo) {
            let year = demo::fill(&session.platform, access).await?;
            if let Some(stripe) = &stripe {
                session.platform = stripe.fill(&session.platform, &year).await?;
            }
        }
        let psql = if self.demo { session.psql().await? } else { String::new() };
        let served = serve(session.platform.clone(), sockets, |address, metrics| {
            println!("Metrics on http://{metrics}/metrics");
            println!("Serving http://{address}");
            if let Some(access) = &access {
                if self.demo {
                    if let Some(stripe) = &stripe {
                        stripe.deliver_to(address, &access.webhook_secret);
                    }
                    print!("{}", FirstRun { access, psql: &psql, stripe: stripe.as_ref() });
                } else {
                    println!("STRIPE_WEBHOOK_SECRET is not set; accepting webhooks signed with {}", access.webhook_secret.0);
                }
            }
        })
        .await;
        session.close().await;
        served
    }
}

/// Fill the database with a year of sample data for two customers
#[derive(Args)]
#[command(after_help = "Examples:\n  apex-billing demo\n  apex-billing demo --json | jq -r .api_key")]
pub struct Demo {
    /// Print logins, API key and webhook secret as JSON
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub async fn run(self) -> anyhow::Result<()> {
        let mut config = Config::load()?;
        let access = Access::remembered(&mut config)?;
        let session = Session::with(config, Schema::Migrate).await?;
        demo::fill(&session.platform, &access).await?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&access.to_json())?);
        } else {
            print!("{access}");
        }
        session.close().await;
        Ok(())
    }
}
