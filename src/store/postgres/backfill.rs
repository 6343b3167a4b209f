//! Positions of reading from Stripe, the lock for it, and objects that are still incomplete.

use sqlx::{Connection, PgConnection, PgPool};
use time::OffsetDateTime;

/// First half of the advisory locks' keys; the mirror uses the numbers before it.
const LOCK_SPACE: i32 = 0x5354_5254;

/// Tasks that only one process runs at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Events = 0,
    Full = 1,
    Fetch = 2,
    Reread = 3,
}

/// The lock of a task, on its own connection: if the process dies, the lock ends with the
/// connection.
pub struct Lead {
    conn: PgConnection,
    key: (i32, i32),
}

impl Lead {
    /// None while another process has it.
    pub async fn take(pool: &PgPool, task: Task) -> sqlx::Result<Option<Lead>> {
        Lead::of_key(pool, (LOCK_SPACE, task as i32)).await
    }

    /// The same for any other advisory lock. None while another process has it.
    pub async fn of_key(pool: &PgPool, key: (i32, i32)) -> sqlx::Result<Option<Lead>> {
        let mut conn = pool.acquire().await?.detach();
        let locked = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1, $2) AS "locked!""#, key.0, key.1).fetch_one(&mut conn).await?;
        if locked {
            return Ok(Some(Lead { conn, key }));
        }
        conn.close().await?;
        Ok(None)
    }

    /// Whether it is still held: a lost connection loses it.
    pub async fn check(&mut self) -> sqlx::Result<()> {
        self.conn.ping().await
    }

    /// Explicitly: after a disconnect, PostgreSQL releases the lock only when it notices.
    pub async fn give_up(mut self) -> sqlx::Result<()> {
        sqlx::query_scalar!("SELECT pg_advisory_unlock($1, $2)", self.key.0, self.key.1).fetch_one(&mut self.conn).await?;
        self.conn.close().await
    }
}

/// A stream's position; times are by Stripe's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// When the last complete run began.
    pub read_until: Option<OffsetDateTime>,
    /// When the current run began, and how far back it reads; None without a run.
    pub began_at: Option<OffsetDateTime>,
    pub since: Option<OffsetDateTime>,
    /// The last stored object of its last page.
    pub cursor: Option<String>,
    /// Objects of the run: seen, and stored because they were missing.
    pub read: i64,
    pub stored: i64,
}

/// A stream's position; empty if it was never read.
pub async fn position(pool: &PgPool, stream: &str) -> sqlx::Result<Position> {
    let row = sqlx::query_as!(
        Position,
        "SELECT read_until, began_at, since, cursor, read, stored FROM stripe_backfill WHERE stream = $1",
        stream
    );
    Ok(row.fetch_optional(pool).await?.unwrap_or_default())
}

/// Stores a stream's position.
pub async fn keep(pool: &PgPool, stream: &str, position: &Position, at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO stripe_backfill (stream, read_until, began_at, since, cursor, read, stored, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (stream) DO UPDATE SET read_until = excluded.read_until, began_at = excluded.began_at, since = excluded.since,
             cursor = excluded.cursor, read = excluded.read, stored = excluded.stored, updated_at = excluded.updated_at",
        stream,
        position.read_until,
        position.began_at,
        position.since,
        position.cursor,
        position.read,
        position.stored,
        at,
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Invoices that lack lines and whose next attempt is due, least attempts first. The delay is a
/// minute, and four times longer after each attempt, up to a day. Covers all customers; the result
/// is never shown to users.
pub async fn incomplete_invoices(pool: &PgPool, now: OffsetDateTime, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT stripe_invoice_id FROM invoices LEFT JOIN stripe_fetches fetched ON fetched.object_id = stripe_invoice_id
           WHERE NOT lines_complete AND NOT deleted
             AND (fetched.object_id IS NULL
                  OR fetched.tried_at <= $1::timestamptz - least(interval '1 minute' * power(4, least(fetched.attempts, 10) - 1), interval '1 day'))
           ORDER BY coalesce(fetched.attempts, 0), stripe_invoice_id LIMIT $2"#,
        now,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// The same for subscriptions that lack items.
pub async fn incomplete_subscriptions(pool: &PgPool, now: OffsetDateTime, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT stripe_subscription_id FROM subscriptions LEFT JOIN stripe_fetches fetched ON fetched.object_id = stripe_subscription_id
           WHERE NOT items_complete AND NOT deleted
             AND (fetched.object_id IS NULL
                  OR fetched.tried_at <= $1::timestamptz - least(interval '1 minute' * power(4, least(fetched.attempts, 10) - 1), interval '1 day'))
           ORDER BY coalesce(fetched.attempts, 0), stripe_subscription_id LIMIT $2"#,
        now,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// Credit notes that lack lines, as [`incomplete_invoices`].
pub async fn incomplete_credit_notes(pool: &PgPool, now: OffsetDateTime, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT stripe_credit_note_id FROM credit_notes LEFT JOIN stripe_fetches fetched ON fetched.object_id = stripe_credit_note_id
           WHERE NOT lines_complete
             AND (fetched.object_id IS NULL
                  OR fetched.tried_at <= $1::timestamptz - least(interval '1 minute' * power(4, least(fetched.attempts, 10) - 1), interval '1 day'))
           ORDER BY coalesce(fetched.attempts, 0), stripe_credit_note_id LIMIT $2"#,
        now,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// Records an attempt to complete an object; deletes the record when it is complete.
pub async fn tried(conn: &mut PgConnection, object_id: &str, error: Option<&str>, at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO stripe_fetches AS kept (object_id, attempts, tried_at, last_error) VALUES ($1, 1, $3, $2)
         ON CONFLICT (object_id) DO UPDATE SET attempts = kept.attempts + 1, tried_at = excluded.tried_at, last_error = excluded.last_error",
        object_id,
        error,
        at,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "DELETE FROM stripe_fetches WHERE object_id = $1
         AND NOT EXISTS (SELECT FROM invoices WHERE stripe_invoice_id = $1 AND NOT lines_complete AND NOT deleted)
         AND NOT EXISTS (SELECT FROM credit_notes WHERE stripe_credit_note_id = $1 AND NOT lines_complete)
         AND NOT EXISTS (SELECT FROM subscriptions WHERE stripe_subscription_id = $1 AND NOT items_complete AND NOT deleted)",
        object_id,
    )
    .execute(conn)
    .await
    .map(drop)
}
