//! `apex-billing features`.

use super::session::{Schema, Session};
use crate::{
    domain::features::{Feature, Hold, Switch},
    service::{Platform, actor::By, features},
};
use clap::{Subcommand, ValueEnum};

/// Feature switches, for all servers
#[derive(Subcommand)]
#[command(
    after_help = "A switch takes effect on every server within two seconds. BILLING_ENABLED=false overrides it.\n\nExamples:\n  apex-billing features list\n  apex-billing features set billingEnabled off --reason 'prices are wrong'"
)]
pub enum Features {
    /// Show the features, and who switched them last
    List {
        #[arg(long)]
        json: bool,
    },
    /// Switch a feature on or off
    #[command(after_help = "Example:\n  apex-billing features set usageIngestEnabled on")]
    Set {
        /// billingEnabled, usageIngestEnabled, invoicePdfEnabled or customerPortalEnabled
        name: Feature,
        to: To,
        /// Reason, for the audit log
        #[arg(long)]
        reason: Option<String>,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum To {
    On,
    Off,
}

impl Features {
    pub async fn run(self) -> anyhow::Result<()> {
        Session::run(Schema::Migrate, async |platform| self.on(platform).await).await
    }

    async fn on(self, platform: &Platform) -> anyhow::Result<()> {
        match self {
            Features::List { json } => {
                let switches = features::list(platform).await?;
                if json {
                    println!("{}", serde_json::to_string_pretty(&switches)?);
                } else {
                    switches.iter().for_each(print);
                }
            }
            Features::Set { name, to, reason, json } => {
                let by = By::system();
                let switch = features::switch(platform, &by, name, to == To::On, reason.as_deref()).await?;
                if json {
                    println!("{}", serde_json::to_string_pretty(&switch)?);
                } else {
                    print(&switch);
                }
            }
        }
        Ok(())
    }
}

fn print(switch: &Switch) {
    let Switch { name, enabled, held_off_by, changed_by, changed_at, reason, .. } = switch;
    let state = if *enabled { "on" } else { "off" };
    let held = match held_off_by {
        None => "",
        Some(Hold::Environment) => "BILLING_ENABLED=false",
        Some(Hold::Billing) => "billing is off",
        Some(Hold::Stripe) => "not connected to Stripe",
    };
    let at = changed_at.map(|at| at.to_string()).unwrap_or_default();
    println!("{name}\t{state}\t{held}\t{}\t{at}\t{}", changed_by.as_deref().unwrap_or_default(), reason.as_deref().unwrap_or_default());
}
