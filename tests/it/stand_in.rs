//! Stripe's stand-in itself: what is tested against it is worth as much as it is like Stripe.

pub mod client;
mod deliveries;
mod keys;
mod lists;
mod lives;
mod portal;
mod trouble;
mod typed;
