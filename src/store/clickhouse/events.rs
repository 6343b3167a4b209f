//! Inserts raw events into ClickHouse, and sums them.

use super::client::Server;
use crate::{
    domain::{
        identity::CustomerId,
        period::{Period, hour_of},
        usage_event::Correction,
        usage_hour::{HourTotal, HourTotals, UsageHour},
    },
    store::{postgres::usage::shipping::RawEvent, usage::Result},
};
use clickhouse::Row;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Row, Serialize)]
struct EventRow<'a> {
    #[serde(with = "clickhouse::serde::uuid")]
    customer_id: Uuid,
    app_id: &'a str,
    metric: &'a str,
    event_id: &'a str,
    #[serde(with = "clickhouse::serde::time::datetime64::millis")]
    ts: OffsetDateTime,
    quantity: u64,
    properties: &'a str,
    version: u64,
}

impl<'a> EventRow<'a> {
    fn of(event: &'a RawEvent) -> EventRow<'a> {
        EventRow {
            customer_id: event.customer_id,
            app_id: &event.app_id,
            metric: &event.metric,
            event_id: &event.event_id,
            ts: event.occurred_at,
            quantity: u64::try_from(event.quantity).unwrap_or(0),
            properties: event.properties.as_deref().unwrap_or_default(),
            // Constant across retries.
            version: u64::try_from(event.received_at.unix_timestamp_nanos() / 1_000).unwrap_or(0),
        }
    }
}

/// Events per insert: large enough for ClickHouse, far below any time-out, and less than 100 MB
/// even with 4 KiB of properties each.
pub const INSERT: usize = 20_000;

/// Inserts events, and returns how many. They are stored when this returns; after an error some of
/// them may be.
pub async fn write(server: &Server, events: impl Stream<Item = sqlx::Result<RawEvent>>) -> Result<u64> {
    let mut events = std::pin::pin!(events);
    let mut written = 0;
    while let Some(first) = events.next().await.transpose()? {
        let mut insert = server.insert::<EventRow<'static>>("usage_events").await?;
        insert.write(&EventRow::of(&first)).await?;
        written += 1;
        let mut rest = events.by_ref().take(INSERT - 1);
        while let Some(event) = rest.next().await.transpose()? {
            insert.write(&EventRow::of(&event)).await?;
            written += 1;
        }
        insert.end().await?;
    }
    Ok(written)
}

#[derive(Row, Deserialize)]
struct QuantityRow {
    quantity: u64,
}

/// The content of the event that a correction names; None if it doesn't exist.
pub async fn quantity(server: &Server, customer: CustomerId, correction: &Correction) -> Result<Option<i64>> {
    let Correction { corrects, event } = correction;
    let query = server
        .query(
            "SELECT quantity FROM usage_events FINAL
             WHERE customer_id = {customer:UUID} AND metric = {metric:String} AND toStartOfHour(ts) = toDateTime({hour:Int64}, 'UTC')
               AND event_id = {event:String} AND app_id = {app:String} AND ts = fromUnixTimestamp64Milli({at:Int64}, 'UTC')",
        )
        .param("customer", customer.to_string())
        .param("metric", event.metric.as_str())
        .param("hour", hour_of(event.timestamp).unix_timestamp())
        .param("event", corrects)
        .param("app", &event.app_id)
        .param("at", event.timestamp.unix_timestamp_nanos().div_euclid(1_000_000));
    let rows: Vec<QuantityRow> = server.fetch(query).await?;
    Ok(rows.first().map(|row| i64::try_from(row.quantity).unwrap_or(i64::MAX)))
}

#[derive(Row, Deserialize)]
struct TotalRow {
    #[serde(with = "clickhouse::serde::uuid")]
    customer_id: Uuid,
    metric: String,
    #[serde(with = "clickhouse::serde::time::datetime")]
    hour: OffsetDateTime,
    events: u64,
    total: u64,
}

/// Sums of the events of a span of hours, each counted once.
pub async fn totals(server: &Server, span: Period) -> Result<HourTotals> {
    let rows: Vec<TotalRow> = server
        .fetch(
            server
                .query(
                    "SELECT customer_id, metric, toStartOfHour(ts) AS hour, count() AS events, toUInt64(least(sum(toUInt128(quantity)), toUInt128(9223372036854775807))) AS total
                     FROM usage_events FINAL
                     WHERE ts >= fromUnixTimestamp64Second({from:Int64}, 'UTC') AND ts < fromUnixTimestamp64Second({until:Int64}, 'UTC')
                     GROUP BY customer_id, metric, hour",
                )
                .param("from", span.start().unix_timestamp())
                .param("until", span.end().unix_timestamp()),
        )
        .await?;
    rows.into_iter()
        .map(|row| {
            let metric = row.metric.parse().map_err(|error: String| sqlx::Error::Decode(error.into()))?;
            let hour = UsageHour { customer: CustomerId(row.customer_id), metric, start: row.hour };
            Ok((hour, HourTotal { events: row.events, quantity: row.total }))
        })
        .collect()
}
