//! The store that needs nothing but PostgreSQL: raw events in monthly partitions, counted in the statement that takes them.

use super::{accept, corrections, moves, records, shipping};
use crate::{
    domain::{
        identity::CustomerId,
        period::Period,
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

#[async_trait::async_trait]
impl UsageStore for PostgresUsage {
    /// Refuses a database whose raw events are in ClickHouse: it would never count them again.
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
        Ok(accept::accept(&self.db, customer, events, accept::Into::Hours).await?)
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

    async fn figures(&self, customer: CustomerId, period: Period) -> Result<Figures> {
        Ok(super::figures(&self.db, customer, period).await?)
    }

    /// Nothing waits here.
    async fn settle(&self) -> Result<u64> {
        Ok(0)
    }

    async fn differences(&self, span: Period) -> Result<Vec<HourDifference>> {
        // Of hours whose raw events have been dropped nothing can be said.
        let Some(span) = moves::months(&self.db).await?.first().and_then(|kept| Period::new(span.start().max(kept.start()), span.end()))
        else {
            return Ok(Vec::new());
        };
        let mut conn = self.db.acquire().await?;
        // Both sides as of one moment, so that no batch is seen on one side only.
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
