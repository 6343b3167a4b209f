//! The store with PostgreSQL only: raw events in monthly partitions, counted by the statement that
//! inserts them.

use super::{accept, corrections, destination::Destination, moves, records, shipping, splits};
use crate::{
    domain::{
        identity::CustomerId,
        period::{Period, hour_of},
        usage_event::{Correction, UsageEvent},
        usage_hour::{HourDifference, differences},
    },
    store::usage::{Condition, Corrected, Figures, Result, UsageStore, UsageStoreError},
};
use sqlx::{Connection, PgPool};
use std::time::Duration;
use time::OffsetDateTime;

/// Raw events in PostgreSQL.
#[derive(Clone, Debug)]
pub struct PostgresUsage {
    db: PgPool,
}

impl PostgresUsage {
    pub const fn new(db: PgPool) -> PostgresUsage {
        PostgresUsage { db }
    }
}

impl PostgresUsage {
    async fn split_one(&self, customer: CustomerId, at: OffsetDateTime) -> sqlx::Result<()> {
        let hour = hour_of(at);
        let mut tx = self.db.begin().await?;
        splits::wait_little(&mut tx).await?;
        shipping::hold_counting(&mut tx).await?;
        if splits::add(&mut tx, customer, at).await? {
            let before = splits::recorded(&mut tx, customer, hour).await?;
            if !before.is_empty() {
                let parts = splits::counted(&mut tx, customer, hour).await?;
                if !splits::put(&mut tx, customer, hour, &before, &parts).await? {
                    tracing::warn!(%customer, %hour, "an hour can't be split: its raw usage events differ from its records");
                }
            }
        }
        tx.commit().await
    }
}

#[async_trait::async_trait]
impl UsageStore for PostgresUsage {
    /// Rejects a database whose raw events are in ClickHouse: new ones would never be counted.
    async fn prepare(&self, since: OffsetDateTime, until: OffsetDateTime) -> Result<()> {
        if let Some(switched) = shipping::switched(&self.db).await? {
            return Err(UsageStoreError::Refused(format!(
                "the usage events of this database go to ClickHouse since {}; set CLICKHOUSE_URL",
                switched.date()
            )));
        }
        Ok(super::ensure_partitions(&self.db, since, until).await?)
    }

    async fn accept(&self, customer: CustomerId, events: &[UsageEvent]) -> Result<u64> {
        Ok(accept::accept(&self.db, customer, events, Destination::Hours).await?)
    }

    async fn correct(&self, customer: CustomerId, correction: &Correction) -> Result<Corrected> {
        let mut tx = self.db.begin().await?;
        corrections::lock(&mut tx, customer, &correction.corrects).await?;
        if !corrections::claim(&mut tx, customer, &correction.event.id).await? {
            return Ok(Corrected::Duplicate);
        }
        let Some(before) = corrections::replace(&mut tx, customer, correction).await? else { return Ok(Corrected::Unknown) };
        corrections::count(&mut tx, customer, correction, before).await?;
        corrections::record(&mut tx, customer, correction, before).await?;
        tx.commit().await?;
        Ok(Corrected::Done { before: u64::try_from(before).unwrap_or(0) })
    }

    async fn split(&self, customer: CustomerId, at: &[OffsetDateTime]) -> Result<usize> {
        let mut left = 0;
        for at in splits::missing(&self.db, customer, at).await? {
            match self.split_one(customer, at).await {
                Ok(()) => {}
                Err(error) if splits::is_busy(&error) => left += 1,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(left)
    }

    async fn figures(&self, customer: CustomerId, period: Period) -> Result<Figures> {
        self.split(customer, &[period.start(), period.end()]).await?;
        Ok(super::figures(&self.db, customer, period).await?)
    }

    /// Nothing is queued here.
    async fn settle(&self) -> Result<u64> {
        Ok(0)
    }

    async fn differences(&self, span: Period) -> Result<Vec<HourDifference>> {
        // Hours whose raw events were dropped can't be compared.
        let Some(span) = moves::months(&self.db).await?.first().and_then(|kept| Period::new(span.start().max(kept.start()), span.end()))
        else {
            return Ok(Vec::new());
        };
        let mut conn = self.db.acquire().await?;
        // Both sides in one snapshot, so that no batch is seen on one side only.
        let mut tx = conn.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let raw = records::raw(&mut tx, span).await?;
        let recorded = records::recorded(&mut tx, span).await?;
        tx.commit().await?;
        Ok(differences(&raw, &recorded))
    }

    async fn condition(&self) -> Condition {
        Condition { reachable: super::super::ping(&self.db).await.is_ok(), behind: Duration::ZERO }
    }
}
