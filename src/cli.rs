//! The command line: one function per command, using the same use cases as the API.

mod api_key;
mod audit;
mod checklist;
mod customer;
mod features;
mod migrate;
mod openapi;
mod reconcile;
mod rollback;
mod serve;
mod session;
mod stripe_stand_in;
mod usage;
mod user;
mod webhooks;

pub use session::Session;

use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

/// Billing platform of ApexMediation: usage metering, Stripe mirror, invoices and console in one
/// binary.
#[derive(Parser)]
#[command(
    name = "apex-billing",
    version,
    after_help = "Settings come from the environment (a .env file is read) and from Leptos.toml; docs/operate/configuration.md lists them."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the console, the API and the webhooks
    Serve(serve::Serve),
    /// Migrate the database's schema, or show its state
    Migrate(migrate::Migrate),
    /// Fill the database with a year of sample data for two customers
    Demo(serve::Demo),
    /// Users
    #[command(subcommand)]
    User(user::User),
    /// Customers
    #[command(subcommand)]
    Customer(customer::Customer),
    /// API keys
    #[command(subcommand)]
    ApiKey(api_key::ApiKey),
    /// Stripe's events: list, show, replay, backfill
    #[command(subcommand)]
    Webhooks(webhooks::Webhooks),
    /// Compare the mirror, the usage and the inbox with Stripe
    Reconcile(reconcile::Reconcile),
    /// Destructive rollback steps, with safeguards
    #[command(subcommand)]
    Rollback(rollback::Rollback),
    /// Feature switches, for all servers
    #[command(subcommand)]
    Features(features::Features),
    /// Raw usage events: move them to ClickHouse, compare them with billed usage
    #[command(subcommand)]
    Usage(usage::Usage),
    /// The audit log
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Serve a stand-in for Stripe's API, to try the product without a Stripe account
    StripeStandIn(stripe_stand_in::StripeStandIn),
    /// Print the OpenAPI 3.1 document of the API
    Openapi(openapi::OpenApi),
    /// Run the deployment checklist against a running deployment
    Checklist(Box<checklist::Checklist>),
}

/// The whole command line, for generating documentation.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program. Exit codes: 0 success, 1 failure, 2 invalid usage.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(command) => command.run().await,
            Command::Migrate(command) => command.run().await,
            Command::Demo(command) => command.run().await,
            Command::User(command) => command.run().await,
            Command::Customer(command) => command.run().await,
            Command::ApiKey(command) => command.run().await,
            Command::Webhooks(command) => command.run().await,
            Command::Reconcile(command) => command.run().await,
            Command::Rollback(command) => command.run().await,
            Command::Features(command) => command.run().await,
            Command::Usage(command) => command.run().await,
            Command::Audit(command) => command.run().await,
            Command::StripeStandIn(command) => command.run().await,
            Command::Openapi(command) => command.run().await,
            Command::Checklist(command) => command.run().await,
        }
    });
    // Requests that were cut off may still render or hash; don't wait for them.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("apex-billing: {error:#}");
    ExitCode::FAILURE
}
