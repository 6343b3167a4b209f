//! Hours within which a billing period begins: their records are stored in parts, each within one
//! period.

use super::records::{self, HourRecord};
use crate::domain::{identity::CustomerId, period::hour_of, usage_hour::UsageHour};
use sqlx::{PgConnection, PgPool};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// The instants at which a customer's hours are split, after `from` up to `until`, in order.
pub async fn within<'e>(
    executor: impl sqlx::PgExecutor<'e>,
    customer: CustomerId,
    from: OffsetDateTime,
    until: OffsetDateTime,
) -> sqlx::Result<Vec<OffsetDateTime>> {
    sqlx::query_scalar!(
        "SELECT at FROM usage_hour_splits WHERE customer_id = $1 AND at > $2 AND at <= $3 ORDER BY at",
        customer.0,
        from,
        until,
    )
    .fetch_all(executor)
    .await
}

/// The start of the part that contains an instant, by the hour's splits.
pub fn part_of(splits: &[OffsetDateTime], at: OffsetDateTime) -> OffsetDateTime {
    let hour = hour_of(at);
    let last = splits.partition_point(|split| *split <= at).checked_sub(1).map(|last| splits[last]);
    last.filter(|split| *split > hour).unwrap_or(hour)
}

/// Those of these instants at which a customer's hours are not split yet. The beginning of an hour
/// needs no split.
pub async fn missing(pool: &PgPool, customer: CustomerId, at: &[OffsetDateTime]) -> sqlx::Result<Vec<OffsetDateTime>> {
    let within_hours: Vec<OffsetDateTime> = at.iter().copied().filter(|at| hour_of(*at) != *at).collect();
    if within_hours.is_empty() {
        return Ok(within_hours);
    }
    sqlx::query_scalar!(
        r#"SELECT DISTINCT at AS "at!" FROM unnest($2::timestamptz[]) AS wanted(at)
           WHERE NOT EXISTS (SELECT FROM usage_hour_splits split WHERE split.customer_id = $1 AND split.at = wanted.at)"#,
        customer.0,
        &within_hours,
    )
    .fetch_all(pool)
    .await
}

/// Stores a split; false if it exists. The caller holds the lock against counting.
pub async fn add(conn: &mut PgConnection, customer: CustomerId, at: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query!("INSERT INTO usage_hour_splits (customer_id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING", customer.0, at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0)
}

/// The splits of these customers' hours, with their customers.
pub async fn of_hours(conn: &mut PgConnection, hours: &[UsageHour]) -> sqlx::Result<Vec<(CustomerId, OffsetDateTime)>> {
    let customers: Vec<Uuid> = hours.iter().map(|hour| hour.customer.0).collect();
    let starts: Vec<OffsetDateTime> = hours.iter().map(|hour| hour.start).collect();
    let rows = sqlx::query!(
        r#"SELECT DISTINCT split.customer_id, split.at FROM unnest($1::uuid[], $2::timestamptz[]) AS hours(customer_id, hour)
           JOIN usage_hour_splits split ON split.customer_id = hours.customer_id AND split.at > hour AND split.at < hour + interval '1 hour'"#,
        &customers,
        &starts,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (CustomerId(row.customer_id), row.at)).collect())
}

/// The records of a customer's hour.
pub async fn recorded(conn: &mut PgConnection, customer: CustomerId, hour: OffsetDateTime) -> sqlx::Result<Vec<HourRecord>> {
    sqlx::query_as!(
        HourRecord,
        "SELECT customer_id AS customer, metric, hour, app_id, quantity, event_count AS events, as_of FROM usage_records
         WHERE customer_id = $1 AND hour >= $2 AND hour < $3 AND metric = ANY(ARRAY(SELECT name FROM metrics))
         ORDER BY metric, hour, app_id",
        customer.0,
        hour,
        hour + Duration::HOUR,
    )
    .fetch_all(conn)
    .await
}

/// Sums of PostgreSQL's raw events of a customer's hour in each of its parts.
pub async fn counted(conn: &mut PgConnection, customer: CustomerId, hour: OffsetDateTime) -> sqlx::Result<Vec<HourRecord>> {
    sqlx::query_as!(
        HourRecord,
        r#"SELECT $1::uuid AS "customer!", metric, usage_part_start($1, occurred_at) AS "hour!", app_id, least(sum(quantity), 9223372036854775807)::bigint AS "quantity!",
                  count(*) AS "events!", max(occurred_at) AS "as_of!"
           FROM usage_events WHERE customer_id = $1 AND occurred_at >= $2 AND occurred_at < $3
           GROUP BY metric, 3, app_id ORDER BY metric, 3, app_id"#,
        customer.0,
        hour,
        hour + Duration::HOUR,
    )
    .fetch_all(conn)
    .await
}

/// Replaces the records of a customer's hour if both add up to the same; otherwise returns false.
/// An hour whose raw events were dropped can't be split.
pub async fn put(
    conn: &mut PgConnection,
    customer: CustomerId,
    hour: OffsetDateTime,
    before: &[HourRecord],
    parts: &[HourRecord],
) -> sqlx::Result<bool> {
    let sum = |records: &[HourRecord], like: &HourRecord| {
        let same = records.iter().filter(|record| (&record.metric, &record.app_id) == (&like.metric, &like.app_id));
        same.fold((0_i64, 0_i64), |sum, record| (sum.0.saturating_add(record.quantity), sum.1 + record.events))
    };
    let agrees = |record: &&HourRecord| sum(before, record) == sum(parts, record);
    let known: Vec<HourRecord> = parts.iter().filter(agrees).cloned().collect();
    let stale: Vec<&HourRecord> = before.iter().filter(agrees).collect();
    let (metrics, apps): (Vec<&str>, Vec<&str>) = stale.iter().map(|record| (record.metric.as_str(), record.app_id.as_str())).unzip();
    let hours: Vec<OffsetDateTime> = stale.iter().map(|record| record.hour).collect();
    sqlx::query!(
        "DELETE FROM usage_records record USING unnest($2::text[], $3::timestamptz[], $4::text[]) AS stale(metric, hour, app_id)
         WHERE record.customer_id = $1 AND record.metric = stale.metric AND record.hour = stale.hour AND record.app_id = stale.app_id",
        customer.0,
        &metrics as &[&str],
        &hours,
        &apps as &[&str],
    )
    .execute(&mut *conn)
    .await?;
    records::put(&mut *conn, &known).await?;
    // The triggers leave an empty part, and the newest event of the whole hour.
    sqlx::query!(
        "WITH newest AS (
             SELECT metric, hour, max(as_of) AS as_of FROM usage_records
             WHERE customer_id = $1 AND hour >= $2 AND hour < $3 AND metric = ANY(ARRAY(SELECT name FROM metrics)) GROUP BY metric, hour
         ), gone AS (
             DELETE FROM usage_customer_metric_hours shown
             WHERE customer_id = $1 AND shown.hour >= $2 AND shown.hour < $3 AND shown.metric = ANY(ARRAY(SELECT name FROM metrics))
               AND NOT EXISTS (SELECT FROM newest WHERE newest.metric = shown.metric AND newest.hour = shown.hour)
         )
         UPDATE usage_customer_metric_hours shown SET as_of = newest.as_of FROM newest
         WHERE shown.customer_id = $1 AND shown.metric = newest.metric AND shown.hour = newest.hour",
        customer.0,
        hour,
        hour + Duration::HOUR,
    )
    .execute(conn)
    .await?;
    Ok(before.iter().all(|record| agrees(&record)))
}

/// A split briefly blocks counting. This is its lock timeout; if it expires, the next read tries
/// again.
pub async fn wait_little(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SET LOCAL lock_timeout = '2s'").execute(conn).await.map(drop)
}

/// Whether the lock timed out.
pub fn is_busy(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "55P03")
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn an_instant_is_in_the_last_started_part() {
        let splits = [datetime!(2026-11-22 13:59:59 UTC), datetime!(2026-11-22 14:34:17 UTC), datetime!(2026-11-22 14:50 UTC)];
        let part = |at| part_of(&splits, at);
        assert_eq!(part(datetime!(2026-11-22 14:00 UTC)), datetime!(2026-11-22 14:00 UTC));
        assert_eq!(part(datetime!(2026-11-22 14:34:16.999 UTC)), datetime!(2026-11-22 14:00 UTC));
        assert_eq!(part(splits[1]), splits[1]);
        assert_eq!(part(datetime!(2026-11-22 14:59:59 UTC)), splits[2]);
        assert_eq!(part(datetime!(2026-11-22 15:00 UTC)), datetime!(2026-11-22 15:00 UTC));
        assert_eq!(part_of(&[], splits[1]), datetime!(2026-11-22 14:00 UTC));
    }
}
