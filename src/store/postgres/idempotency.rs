//! Requests with an idempotency key, and their responses: `billing_idempotency`.

use crate::domain::idempotency::IdempotencyKey;
use sqlx::PgPool;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// A request with a key.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// `user:ID` or `api_key:ID`.
    pub principal: &'a str,
    /// The role and the customer of the caller.
    pub scope: &'a str,
    pub key: &'a IdempotencyKey,
    pub method: &'a str,
    pub path: &'a str,
    /// SHA-256 of everything that identifies the request.
    pub hash: &'a [u8],
}

/// A run of ours. After another process has taken it over, its writes have no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: Uuid,
    attempt: i32,
}

impl Run {
    /// First run of this key.
    pub const fn is_first(self) -> bool {
        self.attempt == 1
    }
}

/// The state of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Another request used the key.
    Other,
    Running,
    Done(SavedAnswer),
}

/// A response, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedAnswer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// Claims the key for this request if it is new, expired, used in another scope, or if the same
/// request's run has failed or died. A key without a scope is from an older server, and matches
/// every scope.
pub async fn claim(
    pool: &PgPool,
    request: &Request<'_>,
    now: OffsetDateTime,
    lease: std::time::Duration,
    kept: std::time::Duration,
) -> sqlx::Result<Option<Run>> {
    sqlx::query_as!(
        Run,
        r#"INSERT INTO billing_idempotency AS known (id, principal, key, method, path, request_hash, lease_until, created_at, expires_at, scope)
           VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $7, $6, $8, $9)
           ON CONFLICT (principal, key) DO UPDATE SET
               id = CASE WHEN known.expires_at <= $6 OR known.scope <> $9 THEN excluded.id ELSE known.id END,
               created_at = CASE WHEN known.expires_at <= $6 OR known.scope <> $9 THEN $6 ELSE known.created_at END,
               expires_at = CASE WHEN known.expires_at <= $6 OR known.scope <> $9 THEN $8 ELSE known.expires_at END,
               attempts = CASE WHEN known.expires_at <= $6 OR known.scope <> $9 THEN 1 ELSE known.attempts + 1 END,
               method = excluded.method, path = excluded.path, request_hash = excluded.request_hash, status = 'running',
               lease_until = excluded.lease_until, response_status = NULL, response_headers = NULL, response_body = NULL, finished_at = NULL,
               scope = excluded.scope
           WHERE ((known.expires_at <= $6 OR known.scope <> $9) AND (known.status = 'done' OR known.lease_until <= $6))
              OR (known.status <> 'done' AND known.lease_until <= $6 AND known.request_hash = excluded.request_hash)
           RETURNING id, attempts AS attempt"#,
        request.principal,
        request.key.as_str(),
        request.method,
        request.path,
        request.hash,
        now,
        now + lease,
        now + kept,
        request.scope,
    )
    .fetch_optional(pool)
    .await
}

/// The state of a key that could not be claimed; None if it has expired meanwhile.
pub async fn standing(pool: &PgPool, request: &Request<'_>) -> sqlx::Result<Option<Standing>> {
    let row = sqlx::query!(
        r#"SELECT request_hash, scope IS NULL OR scope = $3 AS "is_of_scope!", response_status, response_headers AS "response_headers: sqlx::types::Json<BTreeMap<String, String>>",
                  response_body
           FROM billing_idempotency WHERE principal = $1 AND key = $2"#,
        request.principal,
        request.key.as_str(),
        request.scope,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| {
        // Only an unfinished run blocks another scope from the key.
        if !row.is_of_scope {
            return Standing::Running;
        }
        if row.request_hash != request.hash {
            return Standing::Other;
        }
        match (row.response_status.and_then(|status| u16::try_from(status).ok()), row.response_body) {
            (Some(status), Some(body)) => {
                Standing::Done(SavedAnswer { status, headers: row.response_headers.map(|headers| headers.0).unwrap_or_default(), body })
            }
            _ => Standing::Running,
        }
    }))
}

/// Extends the run's lease; false if the run is no longer ours.
pub async fn renew(pool: &PgPool, run: Run, until: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query!(
        "UPDATE billing_idempotency SET lease_until = $3 WHERE id = $1 AND attempts = $2 AND status = 'running'",
        run.id,
        run.attempt,
        until
    )
    .execute(pool)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Stores the response; false if the run is no longer ours.
pub async fn finish(pool: &PgPool, run: Run, answer: &SavedAnswer, now: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query!(
        "UPDATE billing_idempotency
         SET status = 'done', response_status = $3, response_headers = $4, response_body = $5, finished_at = $6
         WHERE id = $1 AND attempts = $2 AND status = 'running'",
        run.id,
        run.attempt,
        i16::try_from(answer.status).unwrap_or(i16::MAX),
        sqlx::types::Json(&answer.headers) as _,
        answer.body,
        now,
    )
    .execute(pool)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Deletes the key, because nothing was done. False if the run is no longer ours.
pub async fn release(pool: &PgPool, run: Run) -> sqlx::Result<bool> {
    sqlx::query!("DELETE FROM billing_idempotency WHERE id = $1 AND attempts = $2 AND status = 'running'", run.id, run.attempt)
        .execute(pool)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// Lets the same request run again at once; false if the run is no longer ours.
pub async fn fail(pool: &PgPool, run: Run, now: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query!(
        "UPDATE billing_idempotency SET status = 'failed', lease_until = $3 WHERE id = $1 AND attempts = $2 AND status = 'running'",
        run.id,
        run.attempt,
        now
    )
    .execute(pool)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Deletes expired keys; returns how many.
pub async fn delete_expired(pool: &PgPool, now: OffsetDateTime) -> sqlx::Result<u64> {
    sqlx::query!("DELETE FROM billing_idempotency WHERE expires_at <= $1 AND (status = 'done' OR lease_until <= $1)", now)
        .execute(pool)
        .await
        .map(|done| done.rows_affected())
}
