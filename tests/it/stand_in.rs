//! The Stripe stand-in itself: tests against it are only as good as its similarity to Stripe.

pub mod client;
mod deliveries;
mod keys;
mod lists;
mod lives;
mod portal;
mod trouble;
mod typed;
