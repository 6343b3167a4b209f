//! The seals of the audit log, and the rows that they cover.

use crate::domain::audit::SealedRow;
use futures::stream::BoxStream;
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    pub seq: i64,
    /// It covers the rows above this id,
    pub after_id: i64,
    /// up to this one.
    pub last_id: i64,
    pub row_count: i64,
    /// SHA-256.
    pub hash: Vec<u8>,
    pub sealed_at: OffsetDateTime,
}

/// The newest one.
pub async fn last(conn: impl sqlx::PgExecutor<'_>) -> sqlx::Result<Option<Seal>> {
    sqlx::query_as!(Seal, "SELECT seq, after_id, last_id, row_count, hash, sealed_at FROM billing_audit_seals ORDER BY seq DESC LIMIT 1")
        .fetch_optional(conn)
        .await
}

/// All seals, oldest first.
pub fn all(pool: &PgPool) -> BoxStream<'_, sqlx::Result<Seal>> {
    sqlx::query_as!(Seal, "SELECT seq, after_id, last_id, row_count, hash, sealed_at FROM billing_audit_seals ORDER BY seq").fetch(pool)
}

/// Transactions that may still commit rows up to an allocated id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writers {
    /// The greatest allocated id.
    pub upto: i64,
    /// Virtual transaction ids.
    pub transactions: BTreeSet<String>,
}

/// The greatest id so far, and the transactions with the audit log's writer lock. A transaction
/// that has allocated an id holds the lock until it commits, as for concurrent index builds
/// ("Building Indexes Concurrently", PostgreSQL's manual).
pub async fn writers(pool: &PgPool) -> sqlx::Result<Writers> {
    // In this order: greater ids allocated meanwhile don't matter.
    let upto = sqlx::query_scalar!(
        r#"SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('billing_audit', 'id')::regclass), 0) AS "upto!""#
    )
    .fetch_one(pool)
    .await?;
    let transactions = sqlx::query_scalar!(
        r#"SELECT DISTINCT virtualtransaction AS "transaction!" FROM pg_locks
           WHERE locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND relation = 'billing_audit'::regclass AND mode = 'RowExclusiveLock' AND granted AND pid IS DISTINCT FROM pg_backend_pid()"#
    )
    .fetch_all(pool)
    .await?;
    Ok(Writers { upto, transactions: transactions.into_iter().collect() })
}

/// Takes the sealing lock until the transaction ends; false if another process has it.
pub async fn take_turn(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock(hashtext('billing_audit_seals')) AS "ours!""#).fetch_one(conn).await
}

/// Rows between two ids, at most `limit`, ordered by id.
pub fn rows<'c>(conn: impl sqlx::PgExecutor<'c> + 'c, after_id: i64, last_id: i64, limit: i64) -> BoxStream<'c, sqlx::Result<SealedRow>> {
    sqlx::query_as!(
        SealedRow,
        r#"SELECT id, event_type, actor, customer_id::text AS customer_id, data::text AS "data!", ip_address, user_agent,
                  (extract(epoch FROM created_at) * 1000000)::bigint AS "created_at!"
           FROM billing_audit WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3"#,
        after_id,
        last_id,
        limit,
    )
    .fetch(conn)
}

/// Appends a seal to the chain.
pub async fn add(conn: &mut PgConnection, seal: &Seal) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO billing_audit_seals (seq, after_id, last_id, row_count, hash, sealed_at) VALUES ($1, $2, $3, $4, $5, $6)",
        seal.seq,
        seal.after_id,
        seal.last_id,
        seal.row_count,
        seal.hash,
        seal.sealed_at,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Number of unsealed rows, and the time of the oldest.
pub async fn unsealed(pool: &PgPool, after_id: i64) -> sqlx::Result<(i64, Option<OffsetDateTime>)> {
    let row = sqlx::query!(r#"SELECT count(*) AS "count!", min(created_at) AS oldest FROM billing_audit WHERE id > $1"#, after_id)
        .fetch_one(pool)
        .await?;
    Ok((row.count, row.oldest))
}
