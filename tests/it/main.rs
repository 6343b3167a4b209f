//! Integration tests: the whole server against a real PostgreSQL, one database per test. One binary, so that it links once.

mod support;

mod accounts;
mod alerts;
mod auth;
mod cluster;
mod console;
mod inbox;
mod ingest;
mod invoices;
mod pdf;
mod platform;
mod program;
mod settings;
mod usage;
mod webhooks;
