//! Use cases, one file per noun. `api` and `app/calls` both come through here, so REST and console can't disagree.
//!
//! Functions take the [`Platform`] and typed arguments and know nothing of HTTP.

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

/// What every use case needs; cheap to clone, as every layer of every request does.
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
    /// None without a key: what needs Stripe then says so.
    pub stripe: Option<Client>,
    pub mail: Mailer,
    pub caps: alerts::KnownCaps,
    pub earlier: usage::Earlier,
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
    /// A secret key that can't be sent.
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
            switches: features::Switches::default(),
            incidents: audit::Incidents::default(),
            logins: login_queue::LoginQueue::new(config.file.database.max_connections),
            totp_secrets: Sealer::new(&config.secrets_keys),
            admission: ingest::Admission::new(&config.file.limits, config.file.database.max_connections),
            config: Arc::new(config),
        })))
    }

    /// The same with some parts changed.
    pub fn with(&self, change: impl FnOnce(&mut Parts)) -> Platform {
        let mut parts = (*self.0).clone();
        change(&mut parts);
        Platform(Arc::new(parts))
    }

    /// The client, or the error that says that there is none.
    pub fn stripe(&self) -> Result<&Client> {
        self.stripe.as_ref().ok_or(Error::StripeNotConfigured)
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
