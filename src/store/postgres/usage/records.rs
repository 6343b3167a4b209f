//! Hourly records and their raw events across customers, for counting, comparing and moving.

use crate::{
    domain::{
        identity::CustomerId,
        metric::Metric,
        period::Period,
        usage_hour::{HourDifference, HourTotal, HourTotals, UsageHour},
    },
    store::postgres::decode,
};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// The record of one customer's hour of one metric in one app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourRecord {
    pub customer: Uuid,
    pub metric: String,
    pub hour: OffsetDateTime,
    pub app_id: String,
    pub quantity: i64,
    pub events: i64,
    /// Newest event in the hour.
    pub as_of: OffsetDateTime,
}

/// Records as arrays of columns for statements.
struct Columns<'a> {
    customers: Vec<Uuid>,
    metrics: Vec<&'a str>,
    hours: Vec<OffsetDateTime>,
    apps: Vec<&'a str>,
    quantities: Vec<i64>,
    events: Vec<i64>,
    as_of: Vec<OffsetDateTime>,
}

impl<'a> Columns<'a> {
    fn of(records: &'a [HourRecord]) -> Columns<'a> {
        Columns {
            customers: records.iter().map(|record| record.customer).collect(),
            metrics: records.iter().map(|record| record.metric.as_str()).collect(),
            hours: records.iter().map(|record| record.hour).collect(),
            apps: records.iter().map(|record| record.app_id.as_str()).collect(),
            quantities: records.iter().map(|record| record.quantity).collect(),
            events: records.iter().map(|record| record.events).collect(),
            as_of: records.iter().map(|record| record.as_of).collect(),
        }
    }
}

/// Sets the hours to these records. Equal rows are not updated.
pub async fn put(conn: &mut PgConnection, records: &[HourRecord]) -> sqlx::Result<()> {
    let Columns { customers, metrics, hours, apps, quantities, events, as_of } = Columns::of(records);
    sqlx::query!(
        "INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::bigint[], $6::bigint[], $7::timestamptz[])
         ORDER BY 1, 2, 3, 4
         ON CONFLICT (customer_id, metric, hour, app_id) DO UPDATE SET
             quantity = excluded.quantity, event_count = excluded.event_count, as_of = excluded.as_of, updated_at = now()
         WHERE (usage_records.quantity, usage_records.event_count) IS DISTINCT FROM (excluded.quantity, excluded.event_count)",
        &customers,
        &metrics as &[&str],
        &hours,
        &apps as &[&str],
        &quantities,
        &events,
        &as_of,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Adds records to the hours, in order. Sums saturate at the largest bigint.
pub async fn add(conn: &mut PgConnection, records: &[HourRecord]) -> sqlx::Result<()> {
    let Columns { customers, metrics, hours, apps, quantities, events, as_of } = Columns::of(records);
    sqlx::query!(
        "INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::bigint[], $6::bigint[], $7::timestamptz[])
         ON CONFLICT (customer_id, metric, hour, app_id) DO UPDATE SET
             quantity = least(usage_records.quantity::numeric + excluded.quantity, 9223372036854775807)::bigint,
             event_count = usage_records.event_count + excluded.event_count,
             as_of = greatest(usage_records.as_of, excluded.as_of),
             updated_at = now()",
        &customers,
        &metrics as &[&str],
        &hours,
        &apps as &[&str],
        &quantities,
        &events,
        &as_of,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Sums of PostgreSQL's raw events in a span of hours.
pub async fn raw(conn: &mut PgConnection, span: Period) -> sqlx::Result<HourTotals> {
    let rows = sqlx::query!(
        r#"SELECT customer_id, metric, date_trunc('hour', occurred_at, 'UTC') AS "hour!", count(*) AS "events!",
                  least(sum(quantity), 9223372036854775807)::bigint AS "quantity!"
           FROM usage_events WHERE occurred_at >= $1 AND occurred_at < $2 AND metric = ANY($3) GROUP BY 1, 2, 3"#,
        span.start(),
        span.end(),
        &Metric::names() as &[&str],
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| total(row.customer_id, &row.metric, row.hour, row.events, row.quantity)).collect()
}

/// The records of a span of hours, with the parts of an hour added up.
pub async fn recorded(conn: &mut PgConnection, span: Period) -> sqlx::Result<HourTotals> {
    let rows = sqlx::query!(
        r#"SELECT customer_id, metric, date_trunc('hour', hour, 'UTC') AS "hour!", sum(event_count)::bigint AS "events!",
                  least(sum(quantity), 9223372036854775807)::bigint AS "quantity!"
           FROM usage_records WHERE hour >= $1 AND hour < $2 AND metric = ANY($3) GROUP BY 1, 2, 3"#,
        span.start(),
        span.end(),
        &Metric::names() as &[&str],
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| total(row.customer_id, &row.metric, row.hour, row.events, row.quantity)).collect()
}

/// Hours of a span in which `usage_customer_metric_hours` differs from the records of all apps.
/// `raw` is the sum of the records.
pub async fn misshown(conn: &mut PgConnection, span: Period) -> sqlx::Result<Vec<HourDifference>> {
    let rows = sqlx::query!(
        r#"WITH recorded AS (
               SELECT customer_id, metric, hour, sum(event_count)::bigint AS events, least(sum(quantity), 9223372036854775807)::bigint AS quantity
               FROM usage_records WHERE hour >= $1 AND hour < $2 AND metric = ANY($3) GROUP BY 1, 2, 3
           ), shown AS (
               SELECT customer_id, metric, hour, quantity FROM usage_customer_metric_hours
               WHERE hour >= $1 AND hour < $2 AND metric = ANY($3)
           )
           SELECT customer_id AS "customer_id!", metric AS "metric!", hour AS "hour!", coalesce(events, 0) AS "events!",
                  coalesce(recorded.quantity, 0) AS "recorded!", coalesce(shown.quantity, 0) AS "shown!"
           FROM recorded FULL JOIN shown USING (customer_id, metric, hour)
           WHERE coalesce(recorded.quantity, 0) <> coalesce(shown.quantity, 0)
           ORDER BY customer_id, metric, hour"#,
        span.start(),
        span.end(),
        &Metric::names() as &[&str],
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let (hour, raw) = total(row.customer_id, &row.metric, row.hour, row.events, row.recorded)?;
            Ok(HourDifference { hour, raw, recorded: HourTotal { quantity: u64::try_from(row.shown).unwrap_or(0), ..raw } })
        })
        .collect()
}

fn total(customer: Uuid, metric: &str, start: OffsetDateTime, events: i64, quantity: i64) -> sqlx::Result<(UsageHour, HourTotal)> {
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let hour = UsageHour { customer: CustomerId(customer), metric: decode(metric)?, start };
    Ok((hour, HourTotal { events: count(events), quantity: count(quantity) }))
}
