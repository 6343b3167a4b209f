//! Integration tests: the whole server against a real PostgreSQL, one database per test. One binary, so that it links once.

#[path = "../stripe/stand_in.rs"]
mod stripe;
mod support;

mod accounts;
mod alerts;
mod audit;
mod auth;
mod backfill;
mod backup;
mod billed_usage;
mod checklist;
mod cluster;
mod console;
mod faults;
mod features;
mod history;
mod idempotency;
mod inbox;
mod ingest;
mod invoices;
mod localstripe;
mod meters;
mod metrics;
mod openapi;
mod outgoing;
mod pdf;
mod platform;
mod program;
mod reconcile;
mod restart;
mod secrets;
mod security;
mod settings;
mod stand_in;
mod usage;
mod usage_store;
mod webhooks;
