//! ApexMediation Billing: usage metering, Stripe mirror, invoices and the billing console, in one
//! crate. What browsers load is the package `apex-islands` in `islands/`.
//!
//! The modules, and what each must not know:
//!
//! | module | holds | must not know |
//! | --- | --- | --- |
//! | [`domain`] | money, periods, plans, rating, invoices, roles: pure rules | any other module, IO, the clock |
//! | [`text`] | every text and format for people, in three languages | any other module but `domain` |
//! | [`app`] | the Leptos console: pages, components, server functions | sqlx, axum, Stripe |
//! | `config` | environment and `Leptos.toml` in one typed value | |
//! | `service` | use cases, one file per noun; the only way from `api` and `app` to the data | HTTP |
//! | `server` | router, listening, starting and stopping, metrics | SQL |
//! | `http` | what handlers share: state, extractors, problem+json, layers | SQL |
//! | `api` | REST handlers that a server function can't express | SQL, rules |
//! | `guard` | who may call which use case | SQL |
//! | `auth` | passwords, API keys, one-time codes | pages |
//! | `store` | all SQL | HTTP |
//! | `stripe` | signatures, reading and applying webhooks | HTTP, pages |
//! | `stripe_stand_in` | a stand-in for Stripe's API, for the demo and for tests | every other module but `domain` |
//! | `mail` | handing mails to an SMTP server, or to the log | what they are about |
//! | `pdf` | invoices as PDF by typst | SQL, HTTP |
//! | `jobs` | work in the background and its one scheduler | HTTP |
//! | `checklist` | the deployment checklist, gone through from outside | SQL |
//! | `telemetry` | every metric name, logging | |
#![recursion_limit = "256"]

pub mod app;
pub mod domain;
pub mod text;

pub mod api;
pub mod auth;
pub mod checklist;
pub mod cli;
pub mod config;
pub mod demo;
pub mod guard;
pub mod http;
pub mod jobs;
pub mod mail;
pub mod pdf;
pub mod private_postgres;
pub mod server;
pub mod service;
pub mod store;
pub mod stripe;
pub mod stripe_stand_in;
pub mod telemetry;

// The test support names the crate as integration tests do.
#[cfg(test)]
extern crate self as apex_billing;
#[cfg(test)]
#[path = "../tests/unit/fourth_metric.rs"]
mod fourth_metric;
