//! Writes many events by COPY, if all of them are new.

use super::{destination::Destination, ids, records, splits};
use crate::domain::{identity::CustomerId, metric::Metric, period::hour_of, usage_event::UsageEvent};
use sqlx::{Connection, PgConnection, PgPool, error::ErrorKind};
use std::collections::HashMap;
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

/// COPY's binary format (PostgreSQL manual, COPY): signature, flags, length of the extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: [u8; 2] = (-1i16).to_be_bytes();
const EPOCH: OffsetDateTime = datetime!(2000-01-01 0:00 UTC);
const JSONB_VERSION: u8 = 1;
const NULL: [u8; 4] = (-1i32).to_be_bytes();
/// Oids from `pg_type`.
const INT8: i32 = 20;
const TEXT: i32 = 25;
const TIMESTAMPTZ: i32 = 1184;

/// Events prepared for writing.
pub struct Batch {
    /// Sorted; for the newest era.
    keys: Vec<Uuid>,
    rows: Vec<u8>,
    hours: Vec<records::HourRecord>,
    destination: Destination,
    customer: CustomerId,
    /// The splits used for computing the hours, within the events' span.
    splits: Vec<OffsetDateTime>,
    span: Option<(OffsetDateTime, OffsetDateTime)>,
}

/// From the events' first hour to the newest event.
pub fn span(events: &[UsageEvent]) -> Option<(OffsetDateTime, OffsetDateTime)> {
    let times = || events.iter().map(|event| event.timestamp);
    Some((hour_of(times().min()?), times().max()?))
}

impl Batch {
    /// `splits`: of the customer's hours within the events' [`span`].
    pub fn of(customer: CustomerId, events: &[UsageEvent], destination: Destination, splits: Vec<OffsetDateTime>) -> Batch {
        let keys = ids::sorted(0, customer, events).into_iter().map(|(key, _)| key).collect();
        let mut rows = Vec::with_capacity(events.len() * 256);
        rows.extend_from_slice(HEADER);
        match destination {
            Destination::Hours => events.iter().for_each(|event| event_row(&mut rows, customer, event)),
            Destination::Queue => batch_row(&mut rows, customer, events),
        }
        rows.extend_from_slice(&TRAILER);
        let hours = if destination == Destination::Hours { hours(customer, events, &splits) } else { Vec::new() };
        Batch { keys, rows, hours, destination, customer, splits, span: span(events) }
    }

    /// The keys in COPY format, in their era.
    fn keys_in(&self, era: u8) -> Vec<u8> {
        let mut rows = Vec::with_capacity(HEADER.len() + self.keys.len() * 22 + TRAILER.len());
        rows.extend_from_slice(HEADER);
        for key in &self.keys {
            rows.extend_from_slice(&1i16.to_be_bytes());
            field(&mut rows, ids::in_era(era, *key).as_bytes());
        }
        rows.extend_from_slice(&TRAILER);
        rows
    }
}

/// A row of `usage_events`.
fn event_row(rows: &mut Vec<u8>, customer: CustomerId, event: &UsageEvent) {
    rows.extend_from_slice(&7i16.to_be_bytes());
    field(rows, customer.0.as_bytes());
    field(rows, event.id.as_bytes());
    field(rows, event.app_id.as_bytes());
    field(rows, event.metric.as_str().as_bytes());
    field(rows, &quantity(event).to_be_bytes());
    field(rows, &microseconds(event.timestamp).to_be_bytes());
    match &event.properties {
        None => rows.extend_from_slice(&NULL),
        Some(json) => {
            length(rows, json.len() + 1);
            rows.push(JSONB_VERSION);
            rows.extend_from_slice(json.as_bytes());
        }
    }
}

/// The row of `usage_outbox_batches`.
fn batch_row(rows: &mut Vec<u8>, customer: CustomerId, events: &[UsageEvent]) {
    let times = || events.iter().map(|event| microseconds(event.timestamp));
    rows.extend_from_slice(&10i16.to_be_bytes());
    field(rows, customer.0.as_bytes());
    field(rows, &i32::try_from(events.len()).unwrap_or(i32::MAX).to_be_bytes());
    field(rows, &times().min().unwrap_or_default().to_be_bytes());
    field(rows, &times().max().unwrap_or_default().to_be_bytes());
    array(rows, TEXT, events, |row, event| field(row, event.id.as_bytes()));
    array(rows, TEXT, events, |row, event| field(row, event.app_id.as_bytes()));
    array(rows, TEXT, events, |row, event| field(row, event.metric.as_str().as_bytes()));
    array(rows, INT8, events, |row, event| field(row, &quantity(event).to_be_bytes()));
    array(rows, TIMESTAMPTZ, events, |row, event| field(row, &microseconds(event.timestamp).to_be_bytes()));
    array(rows, TEXT, events, |row, event| match &event.properties {
        None => row.extend_from_slice(&NULL),
        Some(json) => field(row, json.as_bytes()),
    });
}

/// A one-dimensional array in the format of `array_recv`: dimensions, NULL flag, element type,
/// length, lower bound.
fn array(row: &mut Vec<u8>, of: i32, events: &[UsageEvent], element: impl Fn(&mut Vec<u8>, &UsageEvent)) {
    let begins = row.len();
    let count = i32::try_from(events.len()).unwrap_or(i32::MAX);
    // The field's length, filled in at its end.
    for number in [0, 1, 1, of, count, 1] {
        row.extend_from_slice(&number.to_be_bytes());
    }
    events.iter().for_each(|event| element(row, event));
    let length = i32::try_from(row.len() - begins - 4).unwrap_or(i32::MAX);
    row[begins..begins + 4].copy_from_slice(&length.to_be_bytes());
}

/// PostgreSQL's `timestamptz`.
fn microseconds(at: OffsetDateTime) -> i64 {
    (at.unix_timestamp() - EPOCH.unix_timestamp()) * 1_000_000 + i64::from(at.microsecond())
}

fn quantity(event: &UsageEvent) -> i64 {
    i64::try_from(event.quantity).unwrap_or(i64::MAX)
}

fn length(row: &mut Vec<u8>, length: usize) {
    // A field has at most some kilobytes.
    row.extend_from_slice(&i32::try_from(length).unwrap_or(i32::MAX).to_be_bytes());
}

fn field(row: &mut Vec<u8>, bytes: &[u8]) {
    length(row, bytes.len());
    row.extend_from_slice(bytes);
}

/// The events' sums per hour, in the order in which all writers lock them.
fn hours(customer: CustomerId, events: &[UsageEvent], splits: &[OffsetDateTime]) -> Vec<records::HourRecord> {
    let mut sums: HashMap<(Metric, OffsetDateTime, &str), (i64, i64, OffsetDateTime)> = HashMap::new();
    for event in events {
        let at = event.timestamp;
        let sum = sums.entry((event.metric, splits::part_of(splits, at), event.app_id.as_str())).or_insert((0, 0, at));
        *sum = (sum.0.saturating_add(quantity(event)), sum.1 + 1, sum.2.max(at));
    }
    let record = |((metric, hour, app), (quantity, events, as_of)): ((Metric, _, &str), _)| records::HourRecord {
        customer: customer.0,
        metric: metric.as_str().to_owned(),
        hour,
        app_id: app.to_owned(),
        quantity,
        events,
        as_of,
    };
    let mut hours: Vec<records::HourRecord> = sums.into_iter().map(record).collect();
    hours.sort_unstable_by(|one, other| (&one.metric, one.hour, &one.app_id).cmp(&(&other.metric, other.hour, &other.app_id)));
    hours
}

/// Writes a batch if all of it is new and its hours' splits are current; otherwise returns None and
/// writes nothing. Returns the number of events.
pub async fn write(pool: &PgPool, batch: Batch) -> sqlx::Result<Option<u64>> {
    let pool = pool.clone();
    // In its own task: dropping a COPY half-way would leave an unusable connection.
    let writing = tokio::spawn(async move {
        let mut conn = pool.acquire().await?;
        match try_to_write(&mut conn, &batch).await {
            Err(sqlx::Error::Database(error)) if error.kind() == ErrorKind::UniqueViolation => Ok(None),
            other => other,
        }
    });
    writing.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

async fn try_to_write(conn: &mut PgConnection, batch: &Batch) -> sqlx::Result<Option<u64>> {
    let mut tx = conn.begin_with(batch.destination.begin()).await?;
    let eras = ids::eras(&mut tx).await?;
    // Since then an hour may have been split; the lock prevents further splits.
    if let Some((from, until)) = batch.span.filter(|_| batch.destination == Destination::Hours)
        && splits::within(&mut *tx, batch.customer, from, until).await? != batch.splits
    {
        return Ok(None);
    }
    for era in &eras[1..] {
        let keys: Vec<Uuid> = batch.keys.iter().map(|key| ids::in_era(*era, *key)).collect();
        if !ids::known(&mut tx, &keys).await?.is_empty() {
            return Ok(None);
        }
    }
    copy(&mut tx, "COPY usage_ids (key) FROM STDIN (FORMAT binary)", &batch.keys_in(eras[0])).await?;
    match batch.destination {
        Destination::Hours => {
            let statement =
                "COPY usage_events (customer_id, event_id, app_id, metric, quantity, occurred_at, properties) FROM STDIN (FORMAT binary)";
            copy(&mut tx, statement, &batch.rows).await?;
            records::add(&mut tx, &batch.hours).await?;
        }
        Destination::Queue => {
            let statement = "COPY usage_outbox_batches (customer_id, events, earliest, latest, event_ids, app_ids, metrics, quantities, occurred_at, properties)
                             FROM STDIN (FORMAT binary)";
            copy(&mut tx, statement, &batch.rows).await?;
        }
    }
    tx.commit().await?;
    Ok(Some(batch.keys.len() as u64))
}

async fn copy(conn: &mut PgConnection, statement: &str, rows: &[u8]) -> sqlx::Result<()> {
    let mut copying = conn.copy_in_raw(statement).await?;
    copying.send(rows).await?;
    copying.finish().await.map(drop)
}
