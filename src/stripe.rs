//! Stripe: the API client, webhook signatures, and readers of objects and events.
//!
//! Knows Stripe's formats in all versions. Imports neither `store` nor `service`.

pub mod client;
pub mod decimal;
pub mod fetched;
pub mod record;
pub mod signature;
pub mod webhook;
