//! Users.

use super::decode;
use crate::domain::{identity::CustomerId, language::Language, role::Role};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A user who may sign in.
#[derive(Clone, Debug)]
pub struct User {
    pub id: Uuid,
    pub email: String,
    pub password_hash: String,
    pub role: Role,
    pub customer: Option<CustomerId>,
    /// Login requires a code.
    pub has_second_factor: bool,
    /// The user's own choice.
    pub language: Option<Language>,
    /// The customer's preferred locale at Stripe.
    pub preferred_locale: Option<String>,
}

struct UserRow {
    id: Uuid,
    email: String,
    password_hash: String,
    role: String,
    customer_id: Option<Uuid>,
    has_second_factor: bool,
    language: Option<String>,
    preferred_locale: Option<String>,
}

impl TryFrom<UserRow> for User {
    type Error = sqlx::Error;

    fn try_from(row: UserRow) -> Result<User, sqlx::Error> {
        let role = decode(&row.role)?;
        let language = row.language.as_deref().map(decode).transpose()?;
        let UserRow { id, email, password_hash, customer_id, has_second_factor, preferred_locale, .. } = row;
        Ok(User { id, email, password_hash, role, customer: customer_id.map(CustomerId), has_second_factor, language, preferred_locale })
    }
}

/// The enabled user with an e-mail address (lower case).
pub async fn by_email(pool: &PgPool, email: &str) -> sqlx::Result<Option<User>> {
    sqlx::query_as!(
        UserRow,
        r#"SELECT users.id, users.email, password_hash, role, customer_id, language, preferred_locale AS "preferred_locale?",
                  EXISTS (SELECT 1 FROM user_totp WHERE user_id = users.id AND confirmed_at IS NOT NULL) AS "has_second_factor!"
           FROM users LEFT JOIN customers ON customers.id = customer_id WHERE users.email = $1 AND disabled_at IS NULL"#,
        email
    )
    .fetch_optional(pool)
    .await?
    .map(User::try_from)
    .transpose()
}

/// The enabled user with an id.
pub async fn by_id(pool: &PgPool, id: Uuid) -> sqlx::Result<Option<User>> {
    sqlx::query_as!(
        UserRow,
        r#"SELECT users.id, users.email, password_hash, role, customer_id, language, preferred_locale AS "preferred_locale?",
                  EXISTS (SELECT 1 FROM user_totp WHERE user_id = users.id AND confirmed_at IS NOT NULL) AS "has_second_factor!"
           FROM users LEFT JOIN customers ON customers.id = customer_id WHERE users.id = $1 AND disabled_at IS NULL"#,
        id
    )
    .fetch_optional(pool)
    .await?
    .map(User::try_from)
    .transpose()
}

/// A user, as `apex-billing user list` shows it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct UserListing {
    pub email: String,
    pub role: String,
    pub customer: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_login_at: Option<OffsetDateTime>,
}

/// Every enabled user, by e-mail address.
pub async fn list(pool: &PgPool) -> sqlx::Result<Vec<UserListing>> {
    sqlx::query_as!(
        UserListing,
        r#"SELECT users.email, role, customers.name AS "customer?", last_login_at
           FROM users LEFT JOIN customers ON customers.id = customer_id
           WHERE disabled_at IS NULL ORDER BY users.email"#
    )
    .fetch_all(pool)
    .await
}

/// A user's data besides the password, for the audit log.
#[derive(Clone, Debug, serde::Serialize)]
pub struct UserState {
    pub role: String,
    pub customer_id: Option<Uuid>,
    pub enabled: bool,
}

/// A user before a change, locked until the transaction ends.
pub async fn state(conn: &mut PgConnection, email: &str) -> sqlx::Result<Option<UserState>> {
    sqlx::query_as!(
        UserState,
        r#"SELECT role, customer_id, disabled_at IS NULL AS "enabled!" FROM users WHERE email = $1 FOR NO KEY UPDATE"#,
        email
    )
    .fetch_optional(conn)
    .await
}

/// Adds a user, or gives an existing one this password, role and customer; returns its id.
pub async fn put(
    conn: &mut PgConnection,
    email: &str,
    password_hash: &str,
    role: Role,
    customer: Option<CustomerId>,
) -> sqlx::Result<Uuid> {
    sqlx::query_scalar!(
        "INSERT INTO users (email, password_hash, role, customer_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash, role = excluded.role, customer_id = excluded.customer_id, disabled_at = NULL
         RETURNING id",
        email,
        password_hash,
        role.as_str(),
        customer.map(|id| id.0),
    )
    .fetch_one(conn)
    .await
}

/// Sets a user's password; None if the user doesn't exist.
pub async fn set_password(conn: &mut PgConnection, email: &str, password_hash: &str) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!("UPDATE users SET password_hash = $2 WHERE email = $1 AND disabled_at IS NULL RETURNING id", email, password_hash)
        .fetch_optional(conn)
        .await
}

/// Sets or clears a user's language; returns the one before. None if the user doesn't exist.
pub async fn set_language(conn: &mut PgConnection, user: Uuid, language: Option<Language>) -> sqlx::Result<Option<Option<Language>>> {
    let before = sqlx::query_scalar!("SELECT language FROM users WHERE id = $1 AND disabled_at IS NULL FOR NO KEY UPDATE", user)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(before) = before else { return Ok(None) };
    sqlx::query!("UPDATE users SET language = $2 WHERE id = $1", user, language.map(Language::code)).execute(conn).await?;
    before.as_deref().map(decode).transpose().map(Some)
}

/// The languages that these addresses' users chose: address and language.
pub async fn languages(pool: &PgPool, emails: &[String]) -> sqlx::Result<Vec<(String, Language)>> {
    let rows = sqlx::query!(
        r#"SELECT email, language AS "language!" FROM users
           WHERE email = ANY($1) AND language IS NOT NULL AND disabled_at IS NULL"#,
        emails
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|row| Ok((row.email, decode(&row.language)?))).collect()
}

/// Records a login.
pub async fn touch_login(conn: &mut PgConnection, user: Uuid, at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("UPDATE users SET last_login_at = $2 WHERE id = $1", user, at).execute(conn).await.map(drop)
}
