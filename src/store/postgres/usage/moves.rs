//! PostgreSQL's side of moving raw events to ClickHouse: monthly partitions, and their progress.

use super::shipping::RawEvent;
use crate::domain::period::Period;
use futures::{StreamExt, stream::BoxStream};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use time::OffsetDateTime;

/// The months that have a partition, oldest first.
pub async fn months(pool: &PgPool) -> sqlx::Result<Vec<Period>> {
    let rows = sqlx::query_scalar!(
        r#"SELECT make_timestamptz(substring(relname FROM 14 FOR 4)::int, right(relname, 2)::int, 1, 0, 0, 0, 'UTC') AS "month!"
           FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
           WHERE inhparent = 'usage_events'::regclass AND relname ~ '^usage_events_[0-9]{4}_[0-9]{2}$' ORDER BY 1"#
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(Period::calendar_month).collect())
}

/// Takes the move lock for the transaction; false if another process has it.
pub async fn try_turn(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock(hashtext('usage_moves')) AS "turn!""#).fetch_one(conn).await
}

/// Whether a span of time has raw events.
pub async fn any(conn: &mut PgConnection, span: Period) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM usage_events WHERE occurred_at >= $1 AND occurred_at < $2) AS "any!""#,
        span.start(),
        span.end()
    )
    .fetch_one(conn)
    .await
}

/// Number of raw events per hour of a span, in order; empty hours are left out.
pub async fn hours(pool: &PgPool, span: Period) -> sqlx::Result<Vec<(OffsetDateTime, u64)>> {
    let mut tx = pool.begin().await?;
    unlimited(&mut tx).await?;
    let rows = sqlx::query!(
        r#"SELECT date_trunc('hour', occurred_at, 'UTC') AS "hour!", count(*) AS "events!"
           FROM usage_events WHERE occurred_at >= $1 AND occurred_at < $2 GROUP BY 1 ORDER BY 1"#,
        span.start(),
        span.end()
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.hour, u64::try_from(row.events).unwrap_or(0))).collect())
}

/// The raw events of a span of time, streamed.
pub fn events(conn: &mut PgConnection, span: Period) -> BoxStream<'_, sqlx::Result<RawEvent>> {
    sqlx::query_as!(
        RawEvent,
        "SELECT customer_id, event_id, app_id, metric, quantity, occurred_at, properties::text AS properties, received_at
         FROM usage_events WHERE occurred_at >= $1 AND occurred_at < $2",
        span.start(),
        span.end()
    )
    .fetch(conn)
    .boxed()
}

/// Removes the statement timeout for the transaction.
pub async fn unlimited(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SET LOCAL statement_timeout = 0").execute(conn).await.map(drop)
}

/// Up to where a month is copied; None if not started.
pub async fn copied_until(pool: &PgPool, month: OffsetDateTime) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("SELECT copied_until FROM usage_moves WHERE month = $1 AND moved_at IS NULL", month).fetch_optional(pool).await
}

/// Records that a month is copied up to an instant, with this many more events.
pub async fn copied(pool: &PgPool, month: OffsetDateTime, until: OffsetDateTime, events: u64) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO usage_moves (month, copied_until, events_copied) VALUES ($1, $2, $3)
         ON CONFLICT (month) DO UPDATE SET copied_until = excluded.copied_until, updated_at = now(), moved_at = NULL,
             events_copied = usage_moves.events_copied + excluded.events_copied",
        month,
        until,
        i64::try_from(events).unwrap_or(i64::MAX),
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Resets a month's progress, so that it is copied from its start.
pub async fn start_over(pool: &PgPool, month: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM usage_moves WHERE month = $1", month).execute(pool).await.map(drop)
}

/// Empties a month's partition and records that it is moved.
pub async fn moved(conn: &mut PgConnection, month: Period) -> sqlx::Result<()> {
    let start = month.start();
    // A table's name can't be a parameter; this one is built from two numbers.
    let partition = format!("usage_events_{:04}_{:02}", start.year(), u8::from(start.month()));
    sqlx::query(AssertSqlSafe(format!("TRUNCATE {partition}"))).execute(&mut *conn).await?;
    sqlx::query!(
        "INSERT INTO usage_moves (month, copied_until, moved_at) VALUES ($1, $2, now())
         ON CONFLICT (month) DO UPDATE SET copied_until = excluded.copied_until, updated_at = now(), moved_at = now()",
        start,
        month.end()
    )
    .execute(conn)
    .await
    .map(drop)
}
