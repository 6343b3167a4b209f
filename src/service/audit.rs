//! The audit trail: looking into it, sealing it, proving it.

mod chain;
mod list;

pub use chain::{Broken, Proof, Sealer, verify};
pub use list::{Query, csv, list};
