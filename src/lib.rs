//! ApexMediation Billing: usage metering, Stripe mirror, invoices and the billing console, in one
//! crate for two targets.
//!
//! The modules, and what each must not know:
//!
//! | room | target | holds | must not know |
//! | --- | --- | --- | --- |
//! | [`domain`] | both | money, periods, plans, rating, invoices, roles: pure rules | any other room, IO, the clock |
//! | [`text`] | both | every text and format for people, in three languages | any other room but `domain` |
//! | [`app`] | both | the Leptos console: shell, pages, components, server functions | sqlx, axum, Stripe |
//! | `config` | server | environment and `Leptos.toml` in one typed value | |
//! | `service` | server | use cases, one file per noun; the only way from `api` and `app` to the data | HTTP |
//! | `server` | server | router, listening, starting and stopping, metrics | SQL |
//! | `http` | server | what handlers share: state, extractors, problem+json, layers | SQL |
//! | `api` | server | REST handlers that a server function can't express | SQL, rules |
//! | `guard` | server | who may call which use case | SQL |
//! | `auth` | server | passwords, API keys, one-time codes | pages |
//! | `store` | server | all SQL | HTTP |
//! | `stripe` | server | signatures, reading and applying webhooks | HTTP, pages |
//! | `stripe_stand_in` | server | a stand-in for Stripe's API, for the demo and for tests | every other module but `domain` |
//! | `mail` | server | handing mails to an SMTP server, or to the log | what they are about |
//! | `pdf` | server | invoices as PDF by typst | SQL, HTTP |
//! | `jobs` | server | work in the background and its one scheduler | HTTP |
//! | `checklist` | server | the deployment checklist, gone through from outside | SQL |
//! | `telemetry` | server | every metric name, logging | |
#![recursion_limit = "256"]

pub mod app;
pub mod domain;
pub mod text;

#[cfg(feature = "ssr")]
pub mod api;
#[cfg(feature = "ssr")]
pub mod auth;
#[cfg(feature = "ssr")]
pub mod checklist;
#[cfg(feature = "ssr")]
pub mod cli;
#[cfg(feature = "ssr")]
pub mod config;
#[cfg(feature = "ssr")]
pub mod demo;
#[cfg(feature = "ssr")]
pub mod guard;
#[cfg(feature = "ssr")]
pub mod http;
#[cfg(feature = "ssr")]
pub mod jobs;
#[cfg(feature = "ssr")]
pub mod mail;
#[cfg(feature = "ssr")]
pub mod pdf;
#[cfg(feature = "ssr")]
pub mod private_postgres;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod service;
#[cfg(feature = "ssr")]
pub mod store;
#[cfg(feature = "ssr")]
pub mod stripe;
#[cfg(feature = "ssr")]
pub mod stripe_stand_in;
#[cfg(feature = "ssr")]
pub mod telemetry;

// The test support names the crate as integration tests do.
#[cfg(all(test, feature = "ssr"))]
extern crate self as apex_billing;
#[cfg(all(test, feature = "ssr"))]
#[path = "../tests/unit/fourth_metric.rs"]
mod fourth_metric;

/// The browser's entry point: hydrates the server's HTML.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
    // Tests wait for this attribute: it marks a hydrated page.
    if let Some(root) = leptos::prelude::document().document_element() {
        root.toggle_attribute("data-hydrated").ok();
    }
}
