//! The hours in ClickHouse: recomputed from their events, never incremented, so that duplicates
//! don't count twice.

use super::client::Server;
use crate::{
    domain::{
        identity::CustomerId,
        period::{Period, hour_of},
        usage_hour::UsageHour,
    },
    store::{postgres::usage::records::HourRecord, usage::Result},
};
use clickhouse::{Row, query::Query};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// Hours per statement: ClickHouse accepts 128 KiB per parameter.
pub const MOST_HOURS: usize = 1_000;

/// PostgreSQL's bigint; larger sums saturate.
const MOST: i64 = i64::MAX;

/// The hours as parameters of [`name`].
const NAMED: &str = "(SELECT t.1, t.2, toDateTime(t.3, 'UTC') FROM
    (SELECT arrayJoin(arrayZip({customers:Array(UUID)}, {metrics:Array(String)}, {starts:Array(UInt32)})) AS t))";

/// Every hour of the selected events, with sums up to [`MOST`]; `WHERE` follows.
const COUNT: &str = "INSERT INTO usage_hours (customer_id, metric, hour, app_id, quantity, event_count, as_of, version)
    SELECT customer_id, metric, toStartOfHour(ts), app_id, toUInt64(least(sum(toUInt128(quantity)), toUInt128(9223372036854775807))), count(), max(ts), {version:UInt64}
    FROM usage_events FINAL";

/// The start of the part of an hour that contains an event, by the splits in the parameters.
const PART: &str = "toDateTime(arrayMax(arrayConcat([toUnixTimestamp(toStartOfHour(ts))], arrayMap((customer, split) ->
    if(customer = customer_id AND split <= toUnixTimestamp(ts), split, 0), {split_customers:Array(UUID)}, {splits:Array(UInt32)}))), 'UTC')";
/// Split hours per statement: each event is compared with each split.
const MOST_SPLIT_HOURS: usize = 50;

const BY_HOUR: &str = "GROUP BY customer_id, metric, toStartOfHour(ts), app_id";

fn name(query: Query, hours: &[UsageHour]) -> Query {
    query
        .param("customers", hours.iter().map(|hour| hour.customer.to_string()).collect::<Vec<_>>())
        .param("metrics", hours.iter().map(|hour| hour.metric.as_str()).collect::<Vec<_>>())
        .param("starts", hours.iter().map(|hour| u32::try_from(hour.start.unix_timestamp()).unwrap_or(0)).collect::<Vec<_>>())
}

/// Recomputes these hours, as a newer version of their state.
pub async fn count(server: &Server, hours: &[UsageHour], version: u64) -> Result<()> {
    for some in hours.chunks(MOST_HOURS) {
        let query = server.query(&format!("{COUNT} WHERE (customer_id, metric, toStartOfHour(ts)) IN {NAMED} {BY_HOUR}"));
        server.execute(name(query, some).param("version", version)).await?;
    }
    Ok(())
}

/// Recomputes the parts of these hours.
pub async fn count_parts(server: &Server, hours: &[UsageHour], splits: &[(CustomerId, OffsetDateTime)], version: u64) -> Result<()> {
    for some in hours.chunks(MOST_SPLIT_HOURS) {
        let of_some = |(customer, at): &&(CustomerId, OffsetDateTime)| {
            some.iter().any(|hour| hour.customer == *customer && hour.start == hour_of(*at))
        };
        let splits: Vec<&(CustomerId, OffsetDateTime)> = splits.iter().filter(of_some).collect();
        let query = server.query(&format!(
            "INSERT INTO usage_hours (customer_id, metric, hour, app_id, quantity, event_count, as_of, version)
             SELECT customer_id, metric, {PART} AS part, app_id, toUInt64(least(sum(toUInt128(quantity)), toUInt128({MOST}))), count(), max(ts), {{version:UInt64}}
             FROM usage_events FINAL WHERE (customer_id, metric, toStartOfHour(ts)) IN {NAMED} GROUP BY customer_id, metric, part, app_id"
        ));
        let query = name(query, some)
            .param("version", version)
            .param("split_customers", splits.iter().map(|(customer, _)| customer.to_string()).collect::<Vec<_>>())
            .param("splits", splits.iter().map(|(_, at)| u32::try_from(at.unix_timestamp()).unwrap_or(0)).collect::<Vec<_>>());
        server.execute(query).await?;
    }
    Ok(())
}

/// Recomputes every hour of a span.
pub async fn count_span(server: &Server, span: Period, version: u64) -> Result<()> {
    let sql = format!(
        "{COUNT} WHERE ts >= fromUnixTimestamp64Second({{from:Int64}}, 'UTC') AND ts < fromUnixTimestamp64Second({{until:Int64}}, 'UTC') {BY_HOUR}"
    );
    let query = server.query(&sql).param("version", version);
    server.execute(query.param("from", span.start().unix_timestamp()).param("until", span.end().unix_timestamp())).await
}

#[derive(Row, Deserialize)]
struct HourRow {
    #[serde(with = "clickhouse::serde::uuid")]
    customer_id: Uuid,
    metric: String,
    #[serde(with = "clickhouse::serde::time::datetime")]
    hour: OffsetDateTime,
    app_id: String,
    quantity: u64,
    event_count: u64,
    #[serde(with = "clickhouse::serde::time::datetime64::millis")]
    as_of: OffsetDateTime,
}

/// These hours and parts of hours, as computed in a version; parts from before a later split are
/// not included.
pub async fn read(server: &Server, hours: &[UsageHour], version: u64) -> Result<Vec<HourRecord>> {
    let mut records = Vec::new();
    for some in hours.chunks(MOST_HOURS) {
        let sql = format!(
            "SELECT customer_id, metric, hour, app_id, quantity, event_count, as_of
             FROM usage_hours FINAL WHERE (customer_id, metric, toStartOfHour(hour)) IN {NAMED} AND version = {{version:UInt64}}"
        );
        let rows: Vec<HourRow> = server.fetch(name(server.query(&sql), some).param("version", version)).await?;
        records.extend(rows.into_iter().map(|row| HourRecord {
            customer: row.customer_id,
            metric: row.metric,
            hour: row.hour,
            app_id: row.app_id,
            quantity: i64::try_from(row.quantity).unwrap_or(i64::MAX),
            events: i64::try_from(row.event_count).unwrap_or(i64::MAX),
            as_of: row.as_of,
        }));
    }
    Ok(records)
}
