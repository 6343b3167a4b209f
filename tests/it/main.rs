//! Integration tests: the whole server against a real PostgreSQL, one database per test. One binary, so that it links once.

mod support;

mod accounts;
mod auth;
mod console;
mod ingest;
mod invoices;
mod platform;
mod usage;
