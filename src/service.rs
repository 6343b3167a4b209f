//! Use cases, one file per noun. `api` and `app/calls` both use them, so REST API and console
//! behave the same.
//!
//! Functions take the [`Platform`] and typed arguments, and don't know HTTP.

pub mod actor;
pub mod alerts;
pub mod api_keys;
pub mod audit;
pub mod backfill;
pub mod billed_usage;
pub mod caller;
pub mod complete_objects;
pub mod customers;
pub mod error;
pub mod features;
pub mod gauges;
pub mod health;
pub mod idempotency;
pub mod ingest;
pub mod invoices;
pub mod login_queue;
pub mod login_throttle;
mod lookups;
pub mod meters;
mod new_password;
pub mod own_account;
pub mod parameter;
pub mod portal;
pub mod reconcile;
pub mod reread;
pub mod second_factor;
pub mod settings;
pub mod sign_in;
pub mod usage;
pub mod usage_check;
pub mod usage_move;
pub mod users;
pub mod view_as;
pub mod webhooks;

pub use error::{Error, Result};

use crate::{
    auth::totp::sealing::Sealer,
    config::Config,
    mail::Mailer,
    pdf::Renderer,
    store::{self, usage::UsageStore},
    stripe::client::{Client, StripeError},
};
use std::sync::Arc;
use time::OffsetDateTime;

/// The dependencies of every use case; cheap to clone, because each request's layers clone it.
#[derive(Clone)]
pub struct Platform(Arc<Parts>);

/// The parts of a [`Platform`].
#[derive(Clone)]
pub struct Parts {
    pub config: Arc<Config>,
    pub db: sqlx::PgPool,
    pub usage: Arc<dyn UsageStore>,
    pub clock: Clock,
    pub pdf: Renderer,
    pub intake: webhooks::Intake,
    pub admission: ingest::Admission,
    /// None without a key: features that need Stripe then report that.
    pub stripe: Option<Client>,
    pub mail: Mailer,
    pub caps: alerts::KnownCaps,
    pub earlier: usage::Earlier,
    pub forecast_models: usage::ForecastModels,
    pub switches: features::Switches,
    pub incidents: audit::Incidents,
    pub logins: login_queue::LoginQueue,
    pub totp_secrets: Sealer,
}

impl std::ops::Deref for Platform {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Platform {
    /// # Errors
    /// A secret key with invalid characters.
    pub fn new(config: Config, db: sqlx::PgPool, clock: Clock) -> std::result::Result<Platform, StripeError> {
        Ok(Platform(Arc::new(Parts {
            usage: store::usage_store(&config, &db),
            stripe: Client::of(&config)?,
            mail: Mailer::new(config.smtp.clone(), config.mail_from.clone()),
            db,
            clock,
            pdf: Renderer::new(),
            intake: webhooks::Intake::default(),
            caps: alerts::KnownCaps::default(),
            earlier: usage::Earlier::default(),
            forecast_models: usage::ForecastModels::default(),
            switches: features::Switches::default(),
            incidents: audit::Incidents::default(),
            logins: login_queue::LoginQueue::new(config.file.database.max_connections),
            totp_secrets: Sealer::new(&config.secrets_keys),
            admission: ingest::Admission::new(&config.file.limits, config.file.database.max_connections),
            config: Arc::new(config),
        })))
    }

    /// A copy with some parts replaced.
    pub fn with(&self, change: impl FnOnce(&mut Parts)) -> Platform {
        let mut parts = (*self.0).clone();
        change(&mut parts);
        Platform(Arc::new(parts))
    }

    /// The client, or the error for a missing key.
    pub fn stripe(&self) -> Result<&Client> {
        self.stripe.as_ref().ok_or(Error::StripeNotConfigured)
    }
}

/// The clock; tests can freeze it.
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
