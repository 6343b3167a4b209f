//! Second factors: `user_totp`, `user_recovery_codes`.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A user's authenticator app.
#[derive(Clone)]
pub struct Totp {
    /// As stored: encrypted or unencrypted.
    pub secret: Vec<u8>,
    pub is_confirmed: bool,
    pub last_step: i64,
}

/// A user's app, active or pending.
pub async fn of_user(conn: &mut PgConnection, user: Uuid) -> sqlx::Result<Option<Totp>> {
    sqlx::query_as!(
        Totp,
        r#"SELECT secret, confirmed_at IS NOT NULL AS "is_confirmed!", last_step FROM user_totp WHERE user_id = $1"#,
        user
    )
    .fetch_optional(conn)
    .await
}

/// Stores a new pending secret, replacing an earlier pending one; false if one is active.
pub async fn offer(conn: &mut PgConnection, user: Uuid, secret: &[u8], now: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query!(
        "INSERT INTO user_totp AS known (user_id, secret, offered_at) VALUES ($1, $2, $3)
         ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, offered_at = excluded.offered_at
         WHERE known.confirmed_at IS NULL",
        user,
        secret,
        now,
    )
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Activates the pending secret; false if it is already active, or was replaced meanwhile.
pub async fn confirm(conn: &mut PgConnection, user: Uuid, secret: &[u8], step: i64, now: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query!(
        "UPDATE user_totp SET confirmed_at = $4, last_step = $3 WHERE user_id = $1 AND secret = $2 AND confirmed_at IS NULL",
        user,
        secret,
        step,
        now
    )
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Marks a time step's code as used; false if it, or a newer one, was used before.
pub async fn use_step(conn: &mut PgConnection, user: Uuid, step: i64) -> sqlx::Result<bool> {
    sqlx::query!("UPDATE user_totp SET last_step = $2 WHERE user_id = $1 AND confirmed_at IS NOT NULL AND last_step < $2", user, step)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// A user's secret as stored.
pub struct Kept {
    pub user: Uuid,
    pub secret: Vec<u8>,
}

/// Secrets of users after this id, ordered by id.
pub async fn secrets_after(pool: &PgPool, user: Uuid, most: i64) -> sqlx::Result<Vec<Kept>> {
    sqlx::query_as!(Kept, r#"SELECT user_id AS "user", secret FROM user_totp WHERE user_id > $1 ORDER BY user_id LIMIT $2"#, user, most)
        .fetch_all(pool)
        .await
}

/// Replaces the stored form of the same secret; false if the stored form has changed meanwhile.
pub async fn keep_otherwise(pool: &PgPool, Kept { user, secret }: &Kept, otherwise: &[u8]) -> sqlx::Result<bool> {
    sqlx::query!("UPDATE user_totp SET secret = $3 WHERE user_id = $1 AND secret = $2", user, secret, otherwise)
        .execute(pool)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// Stores the hashes of recovery codes.
pub async fn put_recovery_codes(conn: &mut PgConnection, user: Uuid, hashes: &[Vec<u8>]) -> sqlx::Result<()> {
    sqlx::query!("INSERT INTO user_recovery_codes (user_id, code_hash) SELECT $1, hash FROM unnest($2::bytea[]) AS hash", user, hashes)
        .execute(conn)
        .await
        .map(drop)
}

/// Marks a recovery code as used; false if it doesn't exist or was used before.
pub async fn use_recovery_code(conn: &mut PgConnection, user: Uuid, hash: &[u8], now: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query!("UPDATE user_recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL", user, hash, now)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// Number of unused recovery codes.
pub async fn recovery_codes_left(pool: &PgPool, user: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM user_recovery_codes WHERE user_id = $1 AND used_at IS NULL"#, user)
        .fetch_one(pool)
        .await
}

/// Deletes the second factor with its recovery codes; false if none was active.
pub async fn remove(conn: &mut PgConnection, user: Uuid) -> sqlx::Result<bool> {
    let removed =
        sqlx::query_scalar!(r#"DELETE FROM user_totp WHERE user_id = $1 RETURNING confirmed_at IS NOT NULL AS "was_in_force!""#, user)
            .fetch_optional(conn)
            .await?;
    Ok(removed == Some(true))
}
