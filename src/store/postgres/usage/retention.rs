//! Raw events expire; the billed hourly records are never deleted.

use super::moves;
use crate::store::postgres::{audit, outbox};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Drops the monthly partitions that end before an instant, oldest first. Returns their months.
pub async fn drop_before(pool: &PgPool, limit: OffsetDateTime) -> sqlx::Result<Vec<OffsetDateTime>> {
    let mut dropped = Vec::new();
    for month in moves::months(pool).await?.into_iter().filter(|month| month.end() <= limit) {
        let mut tx = pool.begin().await?;
        wait_little(&mut tx).await?;
        let start = month.start();
        // A table's name can't be a parameter; this one is built from two numbers.
        let partition = format!("usage_events_{:04}_{:02}", start.year(), u8::from(start.month()));
        // Another replica may have dropped it.
        sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('usage_events_ensure_partitions'))").execute(&mut *tx).await?;
        if !sqlx::query_scalar!(r#"SELECT to_regclass($1) IS NOT NULL AS "there!""#, partition).fetch_one(&mut *tx).await? {
            continue;
        }
        sqlx::query(AssertSqlSafe(format!("DROP TABLE {partition}"))).execute(&mut *tx).await?;
        tell(&mut tx, "usage_events.dropped", json!({"month": start.format(&Rfc3339).unwrap_or_default()})).await?;
        tx.commit().await?;
        dropped.push(start);
    }
    Ok(dropped)
}

/// Dropping a partition blocks all writers and waits for running ones: this is its lock timeout. If
/// it expires, a later run tries again.
pub(super) async fn wait_little(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SET LOCAL lock_timeout = '5s'").execute(conn).await.map(drop)
}

/// Records the deletion in the audit log and as a domain event.
pub(super) async fn tell(conn: &mut PgConnection, event_type: &str, data: serde_json::Value) -> sqlx::Result<()> {
    let entry = audit::Entry { event_type, actor: "system", customer: None, data: data.clone(), ip_address: None, user_agent: None };
    audit::record(conn, entry).await?;
    outbox::publish(conn, event_type, None, data).await
}
