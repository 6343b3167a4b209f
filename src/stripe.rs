//! Stripe's side of the business: who signed a webhook, what it says, and what follows from it for the mirror.
//!
//! Knows Stripe's formats in all their versions; knows neither HTTP nor pages, and leaves SQL to `store`.

pub mod signature;
pub mod timeline;
pub mod webhook;
