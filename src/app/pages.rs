//! Pages, one per file: each fetches data, sets its title, and lays out components.

pub mod account;
pub mod audit;
pub mod console;
pub mod customers;
pub mod features;
pub mod invoice;
pub mod invoices;
pub mod login;
pub mod not_found;
pub mod paused;
pub mod reconciliation;
pub mod reconciliations;
pub mod settings;
pub mod usage;
pub mod webhook;
pub mod webhooks;
