//! `apex-billing customer`.

use super::session::{Schema, Session};
use crate::{
    domain::{identity::CustomerId, money::Currency},
    service::{self, Platform, customers},
};
use clap::Subcommand;
use uuid::Uuid;

/// Customers
#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  apex-billing customer add --stripe-id cus_123 --name 'Lumen Games' --email billing@lumen.example --currency eur\n  apex-billing customer add --create-in-stripe --name 'Lumen Games' --email billing@lumen.example\n  apex-billing customer link 7b0c… --stripe-id cus_123"
)]
pub enum Customer {
    /// Add a customer, or change the one with this Stripe id; prints its id
    #[command(group = clap::ArgGroup::new("in_stripe").required(true).args(["stripe_id", "create_in_stripe"]))]
    Add {
        /// Stripe's id, cus_…
        #[arg(long)]
        stripe_id: Option<String>,
        /// Create it in Stripe too; after a failure run it again to complete it
        #[arg(long)]
        create_in_stripe: bool,
        #[arg(long)]
        name: String,
        #[arg(long)]
        email: String,
        #[arg(long, default_value = "usd")]
        currency: Currency,
    },
    /// Link a customer to an existing Stripe customer, or create one; prints Stripe's id
    Link {
        customer: Uuid,
        /// Stripe's id, cus_…; without it a Stripe customer is created
        #[arg(long)]
        stripe_id: Option<String>,
    },
}

impl Customer {
    pub async fn run(self) -> anyhow::Result<()> {
        Session::run(Schema::Migrate, async |platform| {
            println!("{}", self.on(platform).await?);
            Ok(())
        })
        .await
    }

    async fn on(self, platform: &Platform) -> service::Result<String> {
        match self {
            Customer::Add { stripe_id: Some(stripe_id), name, email, currency, .. } => {
                customers::put(platform, &stripe_id, &name, &email, currency).await.map(|id| id.to_string())
            }
            Customer::Add { stripe_id: None, name, email, currency, .. } => {
                customers::create_in_stripe(platform, &name, &email, currency).await.map(|id| id.to_string())
            }
            Customer::Link { customer, stripe_id } => customers::link_to_stripe(platform, CustomerId(customer), stripe_id.as_deref()).await,
        }
    }
}
