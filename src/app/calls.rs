//! Server functions: a signature, a guard and one line into `service`. They are the billing API as
//! well: the same registration serves the console and curl.

pub mod audit;
pub mod customers;
pub mod features;
pub mod invoices;
pub mod parameters;
pub mod problem;
pub mod reconciliations;
pub mod session;
pub mod settings;
pub mod usage;
pub mod webhooks;

pub use problem::Problem;
