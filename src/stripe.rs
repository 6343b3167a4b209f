//! Stripe's side of the business: asking it, who signed a webhook, what it says, and what follows from it for the mirror.
//!
//! Knows Stripe's formats in all their versions; knows neither our HTTP nor pages, and leaves SQL to `store`.

pub mod client;
pub mod decimal;
pub mod fetched;
pub mod record;
pub mod signature;
pub mod timeline;
pub mod webhook;
