//! Session store for tower-sessions.
//!
//! Its own sqlx store uses an older sqlx, so the few statements are here.

use super::{decode, storage};
use crate::domain::{
    identity::CustomerId,
    language::Language,
    role::Role,
    session::{SessionKey, SessionSummary},
};
use async_trait::async_trait;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};
use uuid::Uuid;

/// Sessions in the table `sessions`.
#[derive(Clone, Debug)]
pub struct PostgresSessions {
    pool: PgPool,
}

impl PostgresSessions {
    pub const fn new(pool: PgPool) -> PostgresSessions {
        PostgresSessions { pool }
    }
}

/// Prefix of the error text when PostgreSQL's disk is full; tower-sessions only passes on text.
pub const STORAGE_FULL: &str = "PostgreSQL's storage is full: ";

fn backend(error: sqlx::Error) -> Error {
    let prefix = if storage::is_full(&error) { STORAGE_FULL } else { "" };
    storage::note(&error);
    Error::Backend(format!("{prefix}{error}"))
}

/// Key of the time of the last use. Losing it only shortens the session.
const SEEN_AT: &str = "seen_at";

fn encode(record: &Record) -> Result<serde_json::Value> {
    serde_json::to_value(&record.data).map_err(|error| Error::Encode(error.to_string()))
}

impl PostgresSessions {
    /// Whether these data differ from the stored ones only in the time of the last use.
    async fn only_seen_since(&self, record: &Record, mut data: serde_json::Value) -> Result<bool> {
        let Some(mut stored) = self.load(&record.id).await?.map(|stored| encode(&stored)).transpose()? else { return Ok(true) };
        for data in [&mut stored, &mut data] {
            if let Some(fields) = data.as_object_mut() {
                fields.remove(SEEN_AT);
            }
        }
        Ok(stored == data)
    }
}

#[async_trait]
impl SessionStore for PostgresSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let data = encode(record)?;
        loop {
            let inserted = sqlx::query!(
                "INSERT INTO sessions (id, data, expires_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING",
                record.id.to_string(),
                data,
                record.expiry_date
            )
            .execute(&self.pool)
            .await
            .map_err(backend)?;
            if inserted.rows_affected() == 1 {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    /// Updates an existing session; a deleted one is not recreated. If the disk is full, an update
    /// of only the last use is dropped, so that pages can still be read.
    async fn save(&self, record: &Record) -> Result<()> {
        let data = encode(record)?;
        let written =
            sqlx::query!("UPDATE sessions SET data = $2, expires_at = $3 WHERE id = $1", record.id.to_string(), data, record.expiry_date)
                .execute(&self.pool)
                .await;
        match written {
            Ok(_) => Ok(()),
            Err(error) if storage::is_full(&error) && self.only_seen_since(record, data).await? => {
                storage::note(&error);
                Ok(())
            }
            Err(error) => Err(backend(error)),
        }
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let row = sqlx::query!("SELECT data, expires_at FROM sessions WHERE id = $1 AND expires_at > now()", id.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(backend)?;
        row.map(|row| {
            let data = serde_json::from_value(row.data).map_err(|error| Error::Decode(error.to_string()))?;
            Ok(Record { id: *id, data, expiry_date: row.expires_at })
        })
        .transpose()
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sqlx::query!("DELETE FROM sessions WHERE id = $1", id.to_string()).execute(&self.pool).await.map(drop).map_err(backend)
    }
}

/// A signed-in user, by its session.
pub struct SignedIn {
    pub user: Uuid,
    pub email: String,
    pub role: Role,
    pub customer: Option<CustomerId>,
    pub customer_name: Option<String>,
    /// Login requires a code.
    pub has_second_factor: bool,
    /// The user's own choice.
    pub language: Option<Language>,
    /// The customer's preferred locale at Stripe.
    pub preferred_locale: Option<String>,
    /// Unix seconds.
    pub signed_in_at: Option<i64>,
    pub seen_at: Option<i64>,
    /// The customer as which staff view the pages.
    pub viewing: Option<CustomerId>,
}

/// The enabled user of a session that has not expired.
pub async fn signed_in(pool: &PgPool, session: &SessionKey) -> sqlx::Result<Option<SignedIn>> {
    let row = sqlx::query_file!("src/store/postgres/sessions/signed_in.sql", session.0).fetch_optional(pool).await?;
    row.map(|row| {
        Ok(SignedIn {
            user: row.user_id,
            email: row.email,
            role: decode(&row.role)?,
            customer: row.customer_id.map(CustomerId),
            customer_name: row.customer_name,
            has_second_factor: row.has_second_factor,
            language: row.language.as_deref().map(decode).transpose()?,
            preferred_locale: row.preferred_locale,
            signed_in_at: row.signed_in_at,
            seen_at: row.seen_at,
            viewing: row.viewing.map(CustomerId),
        })
    })
    .transpose()
}

/// Maximum number of listed sessions per user.
const MOST_SHOWN: i64 = 100;

/// A user's recent sessions, the current one first.
pub async fn of_user(pool: &PgPool, user: Uuid, this: Option<&SessionKey>, since: OffsetDateTime) -> sqlx::Result<Vec<SessionSummary>> {
    sqlx::query_as!(
        SessionSummary,
        r#"SELECT public_id AS id, coalesce(id = $2, false) AS "current!", to_timestamp((data ->> 'signed_in_at')::bigint) AS "signed_in_at!",
                  to_timestamp((data ->> 'seen_at')::bigint) AS "last_seen_at!", data ->> 'ip_address' AS ip_address,
                  data ->> 'user_agent' AS user_agent
           FROM sessions
           WHERE user_id = $1 AND expires_at > now() AND (data ->> 'signed_in_at')::bigint > $3 AND data ? 'seen_at'
           ORDER BY 2 DESC, 4 DESC, public_id LIMIT $4"#,
        user,
        this.map(|session| session.0.as_str()),
        since.unix_timestamp(),
        MOST_SHOWN,
    )
    .fetch_all(pool)
    .await
}

/// Deletes one of a user's sessions; false if it doesn't exist.
pub async fn end(conn: &mut PgConnection, user: Uuid, public_id: Uuid) -> sqlx::Result<bool> {
    sqlx::query!("DELETE FROM sessions WHERE user_id = $1 AND public_id = $2", user, public_id)
        .execute(conn)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// Deletes all sessions of a user, except this one and those that only lack a code; returns how
/// many.
pub async fn end_all(conn: &mut PgConnection, user: Uuid, but: Option<&SessionKey>) -> sqlx::Result<u64> {
    let but = but.map(|session| session.0.as_str());
    sqlx::query!("DELETE FROM sessions WHERE data ->> 'awaits_code_of' = $1", user.to_string()).execute(&mut *conn).await?;
    sqlx::query!("DELETE FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2", user, but)
        .execute(conn)
        .await
        .map(|done| done.rows_affected())
}

/// Deletes expired sessions; returns how many.
pub async fn delete_expired(pool: &PgPool, now: OffsetDateTime) -> sqlx::Result<u64> {
    sqlx::query!("DELETE FROM sessions WHERE expires_at <= $1", now).execute(pool).await.map(|done| done.rows_affected())
}
