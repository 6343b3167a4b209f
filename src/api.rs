//! REST handlers beyond server functions: path parameters, PDFs, webhooks, ingest, forms. They
//! translate HTTP and call `service`.

pub mod account;
pub mod audit;
pub mod auth;
pub mod features;
pub mod health;
pub mod invoices;
pub mod openapi;
pub mod portal;
pub mod reconcile;
pub mod settings;
pub mod theme;
pub mod usage;
pub mod view_as;
pub mod webhooks;
