//! The stand-in for Stripe as a program by itself, for the demo and the browser tests.

#[path = "stand_in.rs"]
mod stand_in;

use apex_billing::service::Clock;
use stand_in::StandIn;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let variable = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let address = variable("STRIPE_STAND_IN_ADDR", "127.0.0.1:12111");
    let key = variable("STRIPE_SECRET_KEY", "sk_test_stand_in");
    let stand_in = StandIn::listen(&address, &key, Clock::system()).await?;
    println!("A stand-in for Stripe answers; point apex-billing at it:\n");
    println!("  STRIPE_SECRET_KEY={} STRIPE_API_BASE={}\n", stand_in.secret_key(), stand_in.base_url());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
