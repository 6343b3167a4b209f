//! Keys for deduplication, in eras; the oldest era is dropped whole.

use super::retention;
use crate::domain::{identity::CustomerId, usage_event::UsageEvent};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use std::collections::HashSet;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// An era's length. A longer era stores more keys; shorter ones need more look-ups in two eras.
const ERA: Duration = Duration::days(90);
/// How long after an era's end its events may still arrive, with a margin.
const NEEDED: Duration = Duration::days(36);

/// Begins a transaction that accepts events: no era begins until it ends.
pub const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock_shared(hashtext('usage_id_eras'))";
/// The same, and hours are not recomputed from raw events meanwhile, because that must see all of
/// the transaction or nothing.
pub const BEGIN_COUNTING: &str =
    "BEGIN; SELECT pg_advisory_xact_lock_shared(hashtext('usage_id_eras')), pg_advisory_xact_lock_shared(hashtext('usage_records'))";

/// Eras with events that may still arrive, newest first, each as the first byte of its keys.
pub async fn eras(conn: &mut PgConnection) -> sqlx::Result<Vec<u8>> {
    let eras = sqlx::query_scalar!("SELECT era FROM usage_id_eras ORDER BY era DESC").fetch_all(conn).await?;
    if eras.is_empty() {
        return Err(sqlx::Error::RowNotFound);
    }
    eras.into_iter().map(|era| u8::try_from(era).map_err(|error| sqlx::Error::Decode(error.into()))).collect()
}

/// The key of a customer's event in an era; `usage_id` of migration 16 computes the same.
pub fn key(era: u8, customer: CustomerId, event_id: &str) -> Uuid {
    let digest = Sha256::new().chain_update(customer.0.as_bytes()).chain_update(event_id.as_bytes()).finalize();
    let mut bytes = [era; 16];
    bytes[1..].copy_from_slice(&digest[..15]);
    Uuid::from_bytes(bytes)
}

/// The same event's key in another era.
pub fn in_era(era: u8, key: Uuid) -> Uuid {
    let mut bytes = key.into_bytes();
    bytes[0] = era;
    Uuid::from_bytes(bytes)
}

/// Events with their keys, in key order: all writers use it, so that overlapping batches wait
/// instead of deadlocking.
pub fn sorted(era: u8, customer: CustomerId, events: &[UsageEvent]) -> Vec<(Uuid, &UsageEvent)> {
    let mut keyed: Vec<(Uuid, &UsageEvent)> = events.iter().map(|event| (key(era, customer, &event.id), event)).collect();
    keyed.sort_unstable_by_key(|(key, _)| *key);
    keyed
}

/// Which of these keys exist.
pub async fn known(conn: &mut PgConnection, keys: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("SELECT key FROM usage_ids WHERE key = ANY ($1)", keys).fetch_all(conn).await
}

/// Which of a customer's events are known.
pub async fn known_events(pool: &PgPool, customer: CustomerId, events: &[&str]) -> sqlx::Result<Vec<String>> {
    let mut conn = pool.acquire().await?;
    let eras = eras(&mut conn).await?;
    let keyed: Vec<(Uuid, &str)> = eras.iter().flat_map(|era| events.iter().map(|event| (key(*era, customer, event), *event))).collect();
    let keys: Vec<Uuid> = keyed.iter().map(|(key, _)| *key).collect();
    let known: HashSet<Uuid> = known(&mut conn, &keys).await?.into_iter().collect();
    Ok(keyed.into_iter().filter(|(key, _)| known.contains(key)).map(|(_, event)| event.to_owned()).collect())
}

/// Adds an id in the caller's transaction; false if it is known.
pub async fn claim(conn: &mut PgConnection, customer: CustomerId, id: &str) -> sqlx::Result<bool> {
    sqlx::query!("SELECT pg_advisory_xact_lock_shared(hashtext('usage_id_eras'))").execute(&mut *conn).await?;
    let eras = eras(conn).await?;
    let before: Vec<Uuid> = eras[1..].iter().map(|era| key(*era, customer, id)).collect();
    if !known(conn, &before).await?.is_empty() {
        return Ok(false);
    }
    sqlx::query!("INSERT INTO usage_ids (key) VALUES ($1) ON CONFLICT DO NOTHING", key(eras[0], customer, id))
        .execute(conn)
        .await
        .map(|done| done.rows_affected() > 0)
}

/// Begins an era if due, and drops expired ones. Returns their numbers.
pub async fn keep(pool: &PgPool, now: OffsetDateTime) -> sqlx::Result<Vec<i32>> {
    let mut tx = pool.begin().await?;
    retention::wait_little(&mut tx).await?;
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('usage_id_eras'))").execute(&mut *tx).await?;
    let eras = sqlx::query!("SELECT era, began_at FROM usage_id_eras ORDER BY era").fetch_all(&mut *tx).await?;
    if eras.last().is_none_or(|newest| now - newest.began_at >= ERA) {
        sqlx::query!("SELECT usage_ids_begin_era($1)", now).fetch_one(&mut *tx).await?;
    }
    let over = eras.windows(2).filter(|pair| now - pair[1].began_at >= NEEDED).map(|pair| pair[0].era);
    let over: Vec<i32> = over.collect();
    for era in &over {
        // A table's name can't be a parameter; this one is built from a number.
        sqlx::query(AssertSqlSafe(format!("DROP TABLE usage_ids_{era}"))).execute(&mut *tx).await?;
        sqlx::query!("DELETE FROM usage_id_eras WHERE era = $1", era).execute(&mut *tx).await?;
        retention::tell(&mut tx, "usage_ids.dropped", json!({"era": era})).await?;
    }
    tx.commit().await?;
    Ok(over)
}
