//! Known hours whose raw events differ from their records.

use crate::domain::{period::Period, usage_hour::HourDifference};
use sqlx::PgConnection;
use std::collections::HashSet;
use time::OffsetDateTime;
use uuid::Uuid;

/// Stores the differences of a span, and marks disappeared ones as settled. Returns new and changed
/// differences.
pub async fn note(conn: &mut PgConnection, span: Period, found: &[HourDifference]) -> sqlx::Result<Vec<HourDifference>> {
    let column = |value: fn(&HourDifference) -> u64| -> Vec<i64> {
        found.iter().map(|difference| i64::try_from(value(difference)).unwrap_or(i64::MAX)).collect()
    };
    let customers: Vec<Uuid> = found.iter().map(|difference| difference.hour.customer.0).collect();
    let metrics: Vec<&str> = found.iter().map(|difference| difference.hour.metric.as_str()).collect();
    let hours: Vec<OffsetDateTime> = found.iter().map(|difference| difference.hour.start).collect();
    sqlx::query!(
        "UPDATE usage_differences AS d SET settled_at = now()
         WHERE settled_at IS NULL AND hour >= $1 AND hour < $2 AND NOT EXISTS (
             SELECT FROM unnest($3::uuid[], $4::text[], $5::timestamptz[]) AS f (customer_id, metric, hour)
             WHERE (f.customer_id, f.metric, f.hour) = (d.customer_id, d.metric, d.hour))",
        span.start(),
        span.end(),
        &customers,
        &metrics as &[&str],
        &hours,
    )
    .execute(&mut *conn)
    .await?;
    let news = sqlx::query!(
        "INSERT INTO usage_differences AS d (customer_id, metric, hour, raw_events, raw_quantity, recorded_events, recorded_quantity)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
         ON CONFLICT (customer_id, metric, hour) DO UPDATE SET
             raw_events = excluded.raw_events, raw_quantity = excluded.raw_quantity, recorded_events = excluded.recorded_events,
             recorded_quantity = excluded.recorded_quantity, found_at = now(), settled_at = NULL
         WHERE d.settled_at IS NOT NULL OR (d.raw_events, d.raw_quantity, d.recorded_events, d.recorded_quantity)
             IS DISTINCT FROM (excluded.raw_events, excluded.raw_quantity, excluded.recorded_events, excluded.recorded_quantity)
         RETURNING customer_id, metric, hour",
        &customers,
        &metrics as &[&str],
        &hours,
        &column(|found| found.raw.events),
        &column(|found| found.raw.quantity),
        &column(|found| found.recorded.events),
        &column(|found| found.recorded.quantity),
    )
    .fetch_all(conn)
    .await?;
    let news: HashSet<_> = news.into_iter().map(|row| (row.customer_id, row.metric, row.hour)).collect();
    let is_new = |difference: &&HourDifference| {
        let hour = difference.hour;
        news.contains(&(hour.customer.0, hour.metric.as_str().to_owned(), hour.start))
    };
    Ok(found.iter().filter(is_new).copied().collect())
}

/// Number of unsettled known differences.
pub async fn open(conn: &mut PgConnection) -> sqlx::Result<u64> {
    let open = sqlx::query_scalar!(r#"SELECT count(*) AS "open!" FROM usage_differences WHERE settled_at IS NULL"#).fetch_one(conn).await?;
    Ok(u64::try_from(open).unwrap_or(0))
}
