//! ClickHouse: stores raw usage events beyond the capacity of one PostgreSQL, and sums them by
//! hour.
//!
//! PostgreSQL still deduplicates events, and all reads use PostgreSQL.

mod client;
mod events;
mod hours;
pub mod schema;
mod ship;
pub mod transfer;

use crate::{
    config,
    domain::{
        identity::CustomerId,
        period::Period,
        usage_event::{Correction, UsageEvent},
        usage_hour::HourDifference,
    },
    store::{
        postgres::usage::{self as postgres, accept, corrections, destination::Destination, shipping, splits},
        usage::{Condition, Corrected, Figures, Result, UsageStore, UsageStoreError},
    },
};
use client::Server;
use sqlx::PgPool;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use time::OffsetDateTime;
use tokio::sync::OnceCell;

/// Timeout at start: events are accepted without ClickHouse, and the shipping job migrates its
/// schema later.
const START: Duration = Duration::from_secs(3);

/// Raw events in ClickHouse; deduplication and billed hours in PostgreSQL.
pub struct ClickHouseUsage {
    db: PgPool,
    server: Server,
    /// Whether this process has migrated the schema.
    schema: OnceCell<()>,
    trouble: Mutex<Option<String>>,
}

impl ClickHouseUsage {
    pub fn new(settings: &config::ClickHouse, db: PgPool) -> ClickHouseUsage {
        ClickHouseUsage { db, server: Server::new(settings), schema: OnceCell::new(), trouble: Mutex::new(None) }
    }

    /// Migrates ClickHouse's schema, once.
    pub async fn ready(&self) -> Result<()> {
        self.schema.get_or_try_init(|| schema::migrate(&self.server, &self.db)).await.map(drop)
    }

    /// The schema's migrations, and whether each is applied.
    pub async fn schema_status(&self) -> Result<Vec<(&'static schema::Migration, bool)>> {
        schema::status(&self.server).await
    }

    /// Logs the beginning and the end of an outage, not every second of it.
    fn tell(&self, trouble: Option<String>) {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match &trouble {
            Some(what) if known.as_ref() != Some(what) => tracing::warn!(trouble = %what, "usage events wait for ClickHouse"),
            None if known.is_some() => tracing::info!("usage events reach ClickHouse again"),
            _ => {}
        }
        *known = trouble;
    }
}

#[async_trait::async_trait]
impl UsageStore for ClickHouseUsage {
    /// Without ClickHouse events are still accepted, so the error is only logged.
    async fn prepare(&self, since: OffsetDateTime, until: OffsetDateTime) -> Result<()> {
        shipping::switch(&self.db).await?;
        postgres::ensure_partitions(&self.db, since, until).await?;
        match tokio::time::timeout(START, self.ready()).await.unwrap_or(Err(UsageStoreError::TimedOut(START))) {
            Err(error) if error.is_of_clickhouse() => {
                self.tell(Some(error.to_string()));
                Ok(())
            }
            ready => ready,
        }
    }

    async fn accept(&self, customer: CustomerId, events: &[UsageEvent]) -> Result<u64> {
        Ok(accept::accept(&self.db, customer, events, Destination::Queue).await?)
    }

    async fn correct(&self, customer: CustomerId, correction: &Correction) -> Result<Corrected> {
        let mut tx = self.db.begin().await?;
        corrections::lock(&mut tx, customer, &correction.corrects).await?;
        if !corrections::claim(&mut tx, customer, &correction.event.id).await? {
            return Ok(Corrected::Duplicate);
        }
        // Newest location first: corrected before, queued, from before the switch, in ClickHouse.
        let mut before = corrections::corrected(&mut tx, customer, correction).await?;
        if before.is_none() {
            before = corrections::queued(&mut tx, customer, correction).await?;
        }
        if before.is_none() {
            before = corrections::replace(&mut tx, customer, correction).await?;
        }
        if before.is_none() {
            before = events::quantity(&self.server, customer, correction).await?;
        }
        let Some(before) = before else { return Ok(Corrected::Unknown) };
        corrections::queue(&mut tx, customer, correction).await?;
        corrections::record(&mut tx, customer, correction, before).await?;
        tx.commit().await?;
        Ok(Corrected::Done { before: u64::try_from(before).unwrap_or(0) })
    }

    async fn split(&self, customer: CustomerId, at: &[OffsetDateTime]) -> Result<usize> {
        let mut left = 0;
        for at in splits::missing(&self.db, customer, at).await? {
            match self.split_hour(customer, at).await {
                Ok(()) => {}
                Err(UsageStoreError::Postgres(error)) if splits::is_busy(&error) => left += 1,
                Err(error) if error.is_of_clickhouse() => left += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(left)
    }

    async fn figures(&self, customer: CustomerId, period: Period) -> Result<Figures> {
        self.split(customer, &[period.start(), period.end()]).await?;
        // The queue first: an event that is settled in between is then counted in both at worst,
        // never in neither.
        let waiting_since = shipping::waiting_since(&self.db, customer).await?;
        Ok(Figures { waiting_since, ..postgres::figures(&self.db, customer, period).await? })
    }

    async fn settle(&self) -> Result<u64> {
        let settled = self.ship().await;
        match &settled {
            Ok(_) => self.tell(None),
            Err(error) if error.is_of_clickhouse() => self.tell(Some(error.to_string())),
            Err(_) => {}
        }
        settled
    }

    async fn differences(&self, span: Period) -> Result<Vec<HourDifference>> {
        self.compare(span).await
    }

    async fn condition(&self) -> Condition {
        let (reachable, behind) = futures::join!(self.server.ping(), shipping::behind(&self.db));
        Condition { reachable: reachable.is_ok() && behind.is_ok(), behind: behind.unwrap_or(Duration::ZERO) }
    }
}
