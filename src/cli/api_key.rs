//! `apex-billing api-key`.

use super::session::{Schema, Session};
use crate::{
    domain::identity::CustomerId,
    service::{Platform, api_keys},
};
use clap::Subcommand;
use uuid::Uuid;

/// API keys
#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  apex-billing api-key create --customer 7b0c… --name mediation-eu\n  apex-billing api-key revoke apex_1a2b3c4d"
)]
pub enum ApiKey {
    /// Create an API key; it is shown only once
    Create {
        #[arg(long)]
        customer: Uuid,
        #[arg(long)]
        name: String,
    },
    /// Revoke the API key that begins with these characters
    Revoke { prefix: String },
}

impl ApiKey {
    pub async fn run(self) -> anyhow::Result<()> {
        Session::run(Schema::Migrate, async |platform| self.on(platform).await).await
    }

    async fn on(self, platform: &Platform) -> anyhow::Result<()> {
        match self {
            ApiKey::Create { customer, name } => {
                println!("{}", api_keys::create(platform, CustomerId(customer), &name).await?)
            }
            ApiKey::Revoke { prefix } => api_keys::revoke(platform, &prefix).await?,
        }
        Ok(())
    }
}
