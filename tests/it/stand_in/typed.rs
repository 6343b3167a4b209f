//! Stripe's own client library for Rust reads what the stand-in says.
