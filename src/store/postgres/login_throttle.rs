//! Failed sign-ins, and where people have signed in from: `login_failures`, `login_places`.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// SHA-256 of what is counted.
pub type Key = [u8; 32];

/// Failures under a key. None yet: zero of them.
#[derive(Clone, Debug)]
pub struct Counted {
    pub key: Vec<u8>,
    pub failures: i32,
    pub last_failure_at: OffsetDateTime,
}

/// What stands under each key, held until the transaction ends. The keys come in the order of their bytes, so that nobody waits in a circle.
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

/// Holds what stands under these keys until the transaction ends, in the order of [`hold`].
pub async fn lock(conn: &mut PgConnection, keys: &[Vec<u8>]) -> sqlx::Result<()> {
    sqlx::query!("SELECT key FROM login_failures WHERE key = ANY($1) ORDER BY key FOR UPDATE", keys).fetch_all(conn).await.map(drop)
}

/// Writes what is counted under each key now.
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

/// Takes one failure back, under keys that are held, that was counted at `counted_at`; `before`: when the one before it was, for each key.
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

/// Forgets what is counted under these keys, which are held.
pub async fn clear(conn: &mut PgConnection, keys: &[Vec<u8>]) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM login_failures WHERE key = ANY($1)", keys).execute(conn).await.map(drop)
}

/// Notes that somebody came too early; false when that was noted since the last failure.
pub async fn tell(conn: &mut PgConnection, key: &[u8]) -> sqlx::Result<bool> {
    sqlx::query!("UPDATE login_failures SET told = true WHERE key = $1 AND NOT told", key)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// Whether the user of an e-mail address has signed in from here since.
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

/// Notes that a user has signed in from here.
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

/// Removes what is forgotten by now, all but the `most` most failed, and places that nobody has signed in from since; how many in all.
pub async fn prune(pool: &PgPool, now: OffsetDateTime, most: i64, places_since: OffsetDateTime) -> sqlx::Result<u64> {
    // What somebody holds at the moment has its turn an hour later.
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
