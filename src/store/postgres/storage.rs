//! Whether PostgreSQL can store data: detects its errors, and probes it.

use crate::telemetry;
use sqlx::PgPool;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a write error counts against the server.
const REMEMBERED: Duration = Duration::from_secs(30);
/// How long a probe's result is cached, however many health checks arrive.
const PROBED_EVERY: Duration = Duration::from_secs(5);
/// A probe that takes longer has no result.
const PROBED_WITHIN: Duration = Duration::from_secs(2);

/// The last write error of this process, and the last probe.
static SEEN: Mutex<Seen> = Mutex::new(Seen { refused: None, probed: None });

#[derive(Clone, Copy)]
struct Seen {
    refused: Option<Instant>,
    probed: Option<Instant>,
}

/// The disk is full, or reading or writing failed (`disk_full`, `io_error`; Appendix A of
/// PostgreSQL's manual).
pub fn is_full(error: &sqlx::Error) -> bool {
    has_code(error, |code| matches!(code, "53100" | "58030"))
}

/// PostgreSQL lacks resources that may return: memory, connections, or a configured limit (class
/// 53).
pub fn lacks_resources(error: &sqlx::Error) -> bool {
    has_code(error, |code| code.starts_with("53"))
}

fn has_code(error: &sqlx::Error, is: impl Fn(&str) -> bool) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().is_some_and(|code| is(&code)))
}

/// Remembers a disk-full error.
pub fn note(error: &sqlx::Error) {
    if is_full(error) {
        metrics::counter!(telemetry::DATABASE_STORAGE_REFUSALS).increment(1);
        seen(|seen| seen.refused = Some(Instant::now()));
    }
}

/// Whether PostgreSQL accepts writes: no recent write error, and a temporary file of some 800 kB
/// can be written. That needs no table and leaves nothing behind.
pub async fn takes_writes(pool: &PgPool) -> bool {
    let is_due = seen(|seen| {
        let is_due = seen.probed.is_none_or(|at| at.elapsed() >= PROBED_EVERY);
        if is_due {
            seen.probed = Some(Instant::now());
        }
        is_due
    });
    if is_due
        && let Ok(Err(error)) = tokio::time::timeout(PROBED_WITHIN, probe(pool)).await
        && is_full(&error)
    {
        tracing::error!(%error, "PostgreSQL's storage is full");
        note(&error);
    }
    seen(|seen| seen.refused.is_none_or(|at| at.elapsed() >= REMEMBERED))
}

async fn probe(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    // Beyond `work_mem`, a function's rows go to a temporary file on the data disk.
    sqlx::query("SET LOCAL work_mem = '64kB'").execute(&mut *tx).await?;
    sqlx::query("SELECT count(*) FROM generate_series(1, 40000)").execute(&mut *tx).await?;
    tx.rollback().await
}

fn seen<T>(read: impl FnOnce(&mut Seen) -> T) -> T {
    // No code under the lock can panic.
    read(&mut SEEN.lock().unwrap_or_else(PoisonError::into_inner))
}
