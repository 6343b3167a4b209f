//! Use cases, one file per noun. `api` and `app/calls` both come through here, so REST and console can't disagree.
//!
//! Functions take the [`Platform`] and typed arguments and know nothing of HTTP.

pub mod accounts;
pub mod billed_usage;
pub mod error;
pub mod features;
pub mod health;
pub mod ingest;
pub mod invoices;
pub mod parameter;
pub mod usage;
pub mod usage_check;
pub mod usage_move;
pub mod webhooks;

pub use error::{Error, Result};

use crate::{
    config::Config,
    pdf::Renderer,
    store::usage::{self as usage_store, UsageStore},
};
use std::sync::Arc;
use time::OffsetDateTime;

/// What every use case needs; cheap to clone.
#[derive(Clone)]
pub struct Platform {
    pub config: Arc<Config>,
    pub db: sqlx::PgPool,
    pub usage: Arc<dyn UsageStore>,
    pub clock: Clock,
    pub pdf: Renderer,
    pub intake: webhooks::Intake,
    pub admission: ingest::Admission,
}

impl Platform {
    pub fn new(config: Config, db: sqlx::PgPool, clock: Clock) -> Platform {
        let usage = usage_store::open(&config, &db);
        let admission = ingest::Admission::new(&config.file.limits, config.file.database.max_connections);
        Platform { config: Arc::new(config), db, usage, clock, pdf: Renderer::new(), intake: webhooks::Intake::default(), admission }
    }
}

/// Where the time comes from, so that tests can hold it still.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> OffsetDateTime + Send + Sync>);

impl Clock {
    pub fn system() -> Clock {
        Clock(Arc::new(OffsetDateTime::now_utc))
    }

    pub fn new(now: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(now))
    }

    pub fn now(&self) -> OffsetDateTime {
        (self.0)()
    }
}
