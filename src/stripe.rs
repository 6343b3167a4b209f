//! Stripe: the client of its API, webhook signatures, and readers of its objects and events.
//!
//! Knows Stripe's formats in all their versions. Knows neither `store` nor `service`: it makes the values that those work with.

pub mod client;
pub mod decimal;
pub mod fetched;
pub mod record;
pub mod signature;
pub mod webhook;
