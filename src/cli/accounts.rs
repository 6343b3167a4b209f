//! `apex-billing user`, `customer` and `api-key`.

use super::session::{Schema, Session};
use crate::{
    domain::{
        identity::{CustomerId, Role},
        money::Currency,
    },
    service::{self, Platform, accounts, second_factor},
    store::postgres::accounts as store,
};
use anyhow::{Context, bail};
use clap::Subcommand;
use std::io::BufRead;
use uuid::Uuid;

/// Users
#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  printf '%s' \"$PASSWORD\" | apex-billing user add ops@example.com --role admin\n  apex-billing user list --json\n  apex-billing user reset-totp ops@example.com"
)]
pub enum User {
    /// Add or change a user; the password is the first line of standard input
    Add {
        email: String,
        #[arg(long)]
        role: Role,
        /// The customer whose data the user sees; not needed for an admin
        #[arg(long)]
        customer: Option<Uuid>,
    },
    /// List all users
    List {
        #[arg(long)]
        json: bool,
    },
    /// Set a user's password and end all its sessions; the password is the first line of standard
    /// input
    Passwd { email: String },
    /// Remove a user's second factor, if the app and recovery codes are lost, and end all its
    /// sessions
    ResetTotp { email: String },
}

impl User {
    pub async fn run(self) -> anyhow::Result<()> {
        let session = Session::open(Schema::Migrate).await?;
        match self {
            User::Add { email, role, customer } => {
                accounts::put_user(&session.platform, &email, &password()?, role, customer.map(CustomerId)).await?
            }
            User::Passwd { email } => accounts::set_password(&session.platform, &email, &password()?).await?,
            User::ResetTotp { email } => second_factor::reset(&session.platform, &email).await?,
            User::List { json } => {
                let users = store::users(&session.platform.db).await?;
                if json {
                    println!("{}", serde_json::to_string_pretty(&users)?);
                } else {
                    for user in users {
                        println!("{}\t{}\t{}", user.email, user.role, user.customer.unwrap_or_default());
                    }
                }
            }
        }
        session.close().await;
        Ok(())
    }
}

/// Read from standard input, a secret appears neither in the process list nor in the shell's
/// history.
fn password() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("the password can't be read from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("the password is expected on standard input");
    }
    Ok(password.to_owned())
}

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
        let session = Session::open(Schema::Migrate).await?;
        let done = self.on(&session.platform).await;
        session.close().await;
        println!("{}", done?);
        Ok(())
    }

    async fn on(self, platform: &Platform) -> service::Result<String> {
        match self {
            Customer::Add { stripe_id: Some(stripe_id), name, email, currency, .. } => {
                accounts::put_customer(platform, &stripe_id, &name, &email, currency).await.map(|id| id.to_string())
            }
            Customer::Add { stripe_id: None, name, email, currency, .. } => {
                accounts::create_in_stripe(platform, &name, &email, currency).await.map(|id| id.to_string())
            }
            Customer::Link { customer, stripe_id } => accounts::link_to_stripe(platform, CustomerId(customer), stripe_id.as_deref()).await,
        }
    }
}

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
        let session = Session::open(Schema::Migrate).await?;
        match self {
            ApiKey::Create { customer, name } => {
                println!("{}", accounts::create_api_key(&session.platform, CustomerId(customer), &name).await?)
            }
            ApiKey::Revoke { prefix } => accounts::revoke_api_key(&session.platform, &prefix).await?,
        }
        session.close().await;
        Ok(())
    }
}
