//! Failed logins, and addresses of successful ones: `login_failures`, `login_places`.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// SHA-256 of a scope.
pub type Key = [u8; 32];

/// Failures of a key; zero if there are none yet.
#[derive(Clone, Debug)]
pub struct Counted {
    pub key: Vec<u8>,
    pub failures: i32,
    pub last_failure_at: OffsetDateTime,
}

/// Reads each key's failures and locks them until the transaction ends, in the order of the keys'
/// bytes, so that transactions don't deadlock.
pub async fn hold(conn: &mut PgConnection, keys: &[Vec<u8>], now: OffsetDateTime) -> sqlx::Result<Vec<Counted>> {
    sqlx::query_as!(
        Counted,
        "INSERT INTO login_failures AS known (key, failures, last_failure_at, forget_at)
         SELECT key, 0, $2, $2 FROM unnest($1::bytea[]) AS key ORDER BY key
         ON CONFLICT (key) DO UPDATE SET failures = known.failures
         RETURNING key, failures, last_failure_at",
        keys,
        now,
    )
    .fetch_all(conn)
    .await
}

/// Locks these keys until the transaction ends, in the order of [`hold`].
pub async fn lock(conn: &mut PgConnection, keys: &[Vec<u8>]) -> sqlx::Result<()> {
    sqlx::query!("SELECT key FROM login_failures WHERE key = ANY($1) ORDER BY key FOR UPDATE", keys).fetch_all(conn).await.map(drop)
}

/// Stores the failures of each key.
pub async fn count(
    conn: &mut PgConnection,
    keys: &[Vec<u8>],
    failures: &[i32],
    forget_at: &[OffsetDateTime],
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE login_failures AS known SET failures = new.failures, last_failure_at = $4, forget_at = new.forget_at, told = false
         FROM unnest($1::bytea[], $2::integer[], $3::timestamptz[]) AS new (key, failures, forget_at) WHERE known.key = new.key",
        keys,
        failures,
        forget_at,
        now,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Removes one failure, counted at `counted_at`, under locked keys; `before`: the time of the
/// previous failure for each key.
pub async fn take_back(
    conn: &mut PgConnection,
    keys: &[Vec<u8>],
    before: &[OffsetDateTime],
    counted_at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE login_failures AS known SET failures = greatest(known.failures - 1, 0),
             last_failure_at = CASE WHEN known.last_failure_at = $3 THEN old.last_failure_at ELSE known.last_failure_at END
         FROM unnest($1::bytea[], $2::timestamptz[]) AS old (key, last_failure_at) WHERE known.key = old.key",
        keys,
        before,
        counted_at,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Resets the failures of these locked keys.
pub async fn clear(conn: &mut PgConnection, keys: &[Vec<u8>]) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM login_failures WHERE key = ANY($1)", keys).execute(conn).await.map(drop)
}

/// Records an attempt before the end of the wait; false if one was recorded since the last failure.
pub async fn tell(conn: &mut PgConnection, key: &[u8]) -> sqlx::Result<bool> {
    sqlx::query!("UPDATE login_failures SET told = true WHERE key = $1 AND NOT told", key)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// Whether the user with an e-mail address has signed in from this address since a time.
pub async fn is_familiar(conn: &mut PgConnection, email: &str, network: &str, since: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM login_places JOIN users ON users.id = user_id
                          WHERE users.email = $1 AND network = $2 AND last_login > $3) AS "is_familiar!""#,
        email,
        network,
        since,
    )
    .fetch_one(conn)
    .await
}

/// Records the address of a user's login.
pub async fn remember_place(conn: &mut PgConnection, user: Uuid, network: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO login_places (user_id, network, last_login) VALUES ($1, $2, $3)
         ON CONFLICT (user_id, network) DO UPDATE SET last_login = excluded.last_login",
        user,
        network,
        now,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Deletes expired failures, all but the `most` with the most failures, and addresses without
/// recent logins; returns how many.
pub async fn prune(pool: &PgPool, now: OffsetDateTime, most: i64, places_since: OffsetDateTime) -> sqlx::Result<u64> {
    // Locked rows are left for the next run, an hour later.
    let forgotten = sqlx::query!(
        "DELETE FROM login_failures
         WHERE key IN (SELECT key FROM login_failures WHERE forget_at <= $1 FOR UPDATE SKIP LOCKED)",
        now
    )
    .execute(pool)
    .await?
    .rows_affected();
    let too_many = sqlx::query!(
        "DELETE FROM login_failures
         WHERE key IN (SELECT key FROM login_failures
                       WHERE key IN (SELECT key FROM login_failures ORDER BY failures DESC, last_failure_at DESC, key OFFSET $1)
                       FOR UPDATE SKIP LOCKED)",
        most
    )
    .execute(pool)
    .await?
    .rows_affected();
    let places = sqlx::query!("DELETE FROM login_places WHERE last_login <= $1", places_since).execute(pool).await?.rows_affected();
    Ok(forgotten + too_many + places)
}
