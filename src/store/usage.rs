//! Storage of usage events: one trait with PostgreSQL and ClickHouse implementations, and one test
//! suite for both.

use crate::domain::{
    identity::CustomerId,
    metric::Quantities,
    period::Period,
    usage_event::{Correction, UsageEvent},
    usage_hour::HourDifference,
};
use std::time::Duration;
use time::OffsetDateTime;

/// A store of usage events.
///
/// An event counted by [`accept`](UsageStore::accept) is durable. It is in the hourly records of
/// `usage_records` exactly once after [`settle`](UsageStore::settle) has processed it. All reads
/// use those records or their sums over apps (`usage_customer_metric_hours`), with either store.
#[async_trait::async_trait]
pub trait UsageStore: Send + Sync + 'static {
    /// Creates what the store needs before the first event: tables, partitions of `[since, until]`.
    /// Fails if events can't be accepted, but not if only `settle` has to wait.
    async fn prepare(&self, since: OffsetDateTime, until: OffsetDateTime) -> Result<()>;

    /// Stores the new events; returns how many. Ids in `events` must be distinct.
    async fn accept(&self, customer: CustomerId, events: &[UsageEvent]) -> Result<u64>;

    /// Replaces an event's quantity, exactly once per correction id.
    async fn correct(&self, customer: CustomerId, correction: &Correction) -> Result<Corrected>;

    /// Splits the hours that contain these instants, so that no record spans one. Returns how many
    /// could not be split yet, because counting was busy or the store unavailable; the next call
    /// tries again.
    async fn split(&self, customer: CustomerId, at: &[OffsetDateTime]) -> Result<usize>;

    /// A customer's usage in a span, exact at both ends, and since when it is incomplete.
    async fn figures(&self, customer: CustomerId, span: Period) -> Result<Figures>;

    /// Counts accepted events in the hourly records; returns how many. Several replicas may call it
    /// at once.
    async fn settle(&self) -> Result<u64>;

    /// The hours of the span whose raw events differ from the hourly records. Changes nothing.
    async fn differences(&self, span: Period) -> Result<Vec<HourDifference>>;

    /// Whether the store works.
    async fn condition(&self) -> Condition;
}

/// The result of a correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corrected {
    /// `before`: the event's previous quantity.
    Done { before: u64 },
    /// The correction's id is already in use.
    Duplicate,
    /// The event doesn't exist.
    Unknown,
}

/// The result of [`UsageStore::figures`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// The UTC hours, or parts of hours, that begin in the span, in order; hours without usage are
    /// left out.
    pub hours: Vec<HourlyUsage>,
    /// Arrival of the oldest accepted event that is not counted yet. None: all are counted.
    pub waiting_since: Option<OffsetDateTime>,
}

/// Sums of a UTC hour over a customer's apps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HourlyUsage {
    /// Its start; for a part of a split hour, the part's start.
    pub hour: OffsetDateTime,
    pub quantities: Quantities,
    /// Time of the newest counted event.
    pub as_of: OffsetDateTime,
}

/// A store's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether it responds.
    pub reachable: bool,
    /// Age of the oldest accepted event that is not settled.
    pub behind: Duration,
}

pub type Result<T> = std::result::Result<T, UsageStoreError>;

/// Why a store failed.
#[derive(Debug, thiserror::Error)]
pub enum UsageStoreError {
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    #[error("ClickHouse: {0}")]
    ClickHouse(#[from] ::clickhouse::error::Error),
    #[error("ClickHouse did not respond within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The settings contradict the database.
    #[error("{0}")]
    Refused(String),
}

impl UsageStoreError {
    /// Whether ClickHouse is unavailable, so that a retry helps.
    pub const fn is_of_clickhouse(&self) -> bool {
        matches!(self, UsageStoreError::ClickHouse(_) | UsageStoreError::TimedOut(_))
    }
}
