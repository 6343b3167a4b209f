//! `apex-billing user`.

use super::session::{Schema, Session};
use crate::{
    domain::{identity::CustomerId, role::Role},
    service::{Platform, second_factor, users},
    store::postgres::users as store,
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
        Session::run(Schema::Migrate, async |platform| self.on(platform).await).await
    }

    async fn on(self, platform: &Platform) -> anyhow::Result<()> {
        match self {
            User::Add { email, role, customer } => users::put(platform, &email, &password()?, role, customer.map(CustomerId)).await?,
            User::Passwd { email } => users::set_password(platform, &email, &password()?).await?,
            User::ResetTotp { email } => second_factor::reset(platform, &email).await?,
            User::List { json } => {
                let users = store::list(&platform.db).await?;
                if json {
                    println!("{}", serde_json::to_string_pretty(&users)?);
                } else {
                    for user in users {
                        println!("{}\t{}\t{}", user.email, user.role, user.customer.unwrap_or_default());
                    }
                }
            }
        }
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
