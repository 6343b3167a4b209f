//! Where usage events are kept: one trait, PostgreSQL and ClickHouse behind it, one suite of tests for both.

use crate::domain::{
    identity::CustomerId,
    metric::Quantities,
    period::Period,
    usage_event::{Correction, UsageEvent},
    usage_hour::HourDifference,
};
use std::time::Duration;
use time::OffsetDateTime;

/// What keeps usage events.
///
/// An event that [`accept`](UsageStore::accept) counts is durable, and is in the hourly records of `usage_records` exactly once as soon
/// as [`settle`](UsageStore::settle) has come to it. Whoever reads usage reads those records or their sums over the apps
/// (`usage_customer_metric_hours`), whichever store is behind them.
#[async_trait::async_trait]
pub trait UsageStore: Send + Sync + 'static {
    /// Makes what the store needs before the first event: tables, partitions of `[since, until]`. Fails when events can't be accepted,
    /// not when only `settle` has to wait.
    async fn prepare(&self, since: OffsetDateTime, until: OffsetDateTime) -> Result<()>;

    /// Keeps the events that are new. How many those were. No two of `events` may have the same id.
    async fn accept(&self, customer: CustomerId, events: &[UsageEvent]) -> Result<u64>;

    /// Replaces what an event counts, exactly once for each correction's id.
    async fn correct(&self, customer: CustomerId, correction: &Correction) -> Result<Corrected>;

    /// Splits the hours within which these instants lie, so that no record lies on both sides of one. How many could not be split yet: the
    /// counting was busy, or the store away. They stay whole until the next call.
    async fn split(&self, customer: CustomerId, at: &[OffsetDateTime]) -> Result<usize>;

    /// A customer's usage in a span, exact at both of its ends, and how far it is behind what was accepted.
    async fn figures(&self, customer: CustomerId, span: Period) -> Result<Figures>;

    /// Brings accepted events into the hourly records; how many. Several replicas may call it at once.
    async fn settle(&self) -> Result<u64>;

    /// The hours of the span whose raw events are not what the hourly records say. Changes nothing.
    async fn differences(&self, span: Period) -> Result<Vec<HourDifference>>;

    /// Whether the store works.
    async fn condition(&self) -> Condition;
}

/// What became of a correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corrected {
    /// `before`: what the event counted until now.
    Done { before: u64 },
    /// Something with the correction's id came before.
    Duplicate,
    /// There is no such event.
    Unknown,
}

/// What [`UsageStore::figures`] tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// The UTC hours, or parts of hours, that begin in the span, in order, without those that had nothing.
    pub hours: Vec<HourlyUsage>,
    /// When the oldest accepted event that is not in the figures came in. None: they contain everything.
    pub waiting_since: Option<OffsetDateTime>,
}

/// One UTC hour's sums over a customer's apps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HourlyUsage {
    /// Its first instant; of an hour within which a period begins, the first instant of a part of it.
    pub hour: OffsetDateTime,
    pub quantities: Quantities,
    /// The newest event that is in them.
    pub as_of: OffsetDateTime,
}

/// How a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// It answers.
    pub reachable: bool,
    /// For how long the oldest accepted event has been waiting to be settled.
    pub behind: Duration,
}

pub type Result<T> = std::result::Result<T, UsageStoreError>;

/// Why a store can't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum UsageStoreError {
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    #[error("ClickHouse: {0}")]
    ClickHouse(#[from] ::clickhouse::error::Error),
    #[error("ClickHouse did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The settings and what the database says don't go together.
    #[error("{0}")]
    Refused(String),
}

impl UsageStoreError {
    /// Is it ClickHouse that is missing, so that waiting helps?
    pub const fn is_of_clickhouse(&self) -> bool {
        matches!(self, UsageStoreError::ClickHouse(_) | UsageStoreError::TimedOut(_))
    }
}
