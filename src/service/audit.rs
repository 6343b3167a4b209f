//! The audit log: listing, sealing, verifying.

mod chain;
mod incidents;
mod list;
pub mod refusals;

pub use chain::{Broken, Proof, Sealer, verify};
pub use incidents::{Asked, Incidents, job_failed, refused, request_failed};
pub use list::{csv, list};
