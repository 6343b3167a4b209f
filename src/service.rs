//! Use cases, one file per noun. `api` and `app/calls` both come through here, so REST and console can't disagree.
//!
//! Functions take the [`Platform`] and typed arguments and know nothing of HTTP.

pub mod accounts;
pub mod alerts;
pub mod error;
pub mod features;
pub mod health;
pub mod ingest;
pub mod invoices;
pub mod parameter;
pub mod settings;
pub mod usage;
pub mod webhooks;

pub use error::{Error, Result};

use crate::{config::Config, mail::Mailer, pdf::Renderer};
use std::sync::Arc;
use time::OffsetDateTime;

/// What every use case needs; cheap to clone.
#[derive(Clone)]
pub struct Platform {
    pub config: Arc<Config>,
    pub db: sqlx::PgPool,
    pub clock: Clock,
    pub pdf: Renderer,
    pub intake: webhooks::Intake,
    pub mail: Mailer,
    pub caps: alerts::KnownCaps,
}

impl Platform {
    pub fn new(config: Config, db: sqlx::PgPool, clock: Clock) -> Platform {
        let mail = Mailer::new(config.smtp.clone(), config.mail_from.clone());
        let (intake, caps) = (webhooks::Intake::default(), alerts::KnownCaps::default());
        Platform { config: Arc::new(config), db, clock, pdf: Renderer::new(), intake, mail, caps }
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
