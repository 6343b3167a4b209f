//! Customers, their users and API keys.

use super::decode;
use crate::domain::{
    identity::{CustomerId, Role},
    money::Currency,
};
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
}

struct UserRow {
    id: Uuid,
    email: String,
    password_hash: String,
    role: String,
    customer_id: Option<Uuid>,
    has_second_factor: bool,
}

impl TryFrom<UserRow> for User {
    type Error = sqlx::Error;

    fn try_from(row: UserRow) -> Result<User, sqlx::Error> {
        let role = decode(&row.role)?;
        let UserRow { id, email, password_hash, customer_id, has_second_factor, .. } = row;
        Ok(User { id, email, password_hash, role, customer: customer_id.map(CustomerId), has_second_factor })
    }
}

/// The enabled user with an e-mail address (lower case).
pub async fn user_by_email(pool: &PgPool, email: &str) -> sqlx::Result<Option<User>> {
    sqlx::query_as!(
        UserRow,
        r#"SELECT id, email, password_hash, role, customer_id,
                  EXISTS (SELECT 1 FROM user_totp WHERE user_id = users.id AND confirmed_at IS NOT NULL) AS "has_second_factor!"
           FROM users WHERE email = $1 AND disabled_at IS NULL"#,
        email
    )
    .fetch_optional(pool)
    .await?
    .map(User::try_from)
    .transpose()
}

/// The enabled user with an id.
pub async fn user(pool: &PgPool, id: Uuid) -> sqlx::Result<Option<User>> {
    sqlx::query_as!(
        UserRow,
        r#"SELECT id, email, password_hash, role, customer_id,
                  EXISTS (SELECT 1 FROM user_totp WHERE user_id = users.id AND confirmed_at IS NOT NULL) AS "has_second_factor!"
           FROM users WHERE id = $1 AND disabled_at IS NULL"#,
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
pub async fn users(pool: &PgPool) -> sqlx::Result<Vec<UserListing>> {
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
pub async fn user_state(conn: &mut PgConnection, email: &str) -> sqlx::Result<Option<UserState>> {
    sqlx::query_as!(
        UserState,
        r#"SELECT role, customer_id, disabled_at IS NULL AS "enabled!" FROM users WHERE email = $1 FOR NO KEY UPDATE"#,
        email
    )
    .fetch_optional(conn)
    .await
}

/// Adds a user, or gives an existing one this password, role and customer; returns its id.
pub async fn put_user(
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

/// Records a login.
pub async fn touch_login(conn: &mut PgConnection, user: Uuid, at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("UPDATE users SET last_login_at = $2 WHERE id = $1", user, at).execute(conn).await.map(drop)
}

/// A customer's name.
pub async fn customer_name(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("SELECT name FROM customers WHERE id = $1", customer.0).fetch_optional(pool).await
}

/// A customer's currency.
pub async fn customer_currency(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Option<Currency>> {
    let code = sqlx::query_scalar!("SELECT currency FROM customers WHERE id = $1", customer.0).fetch_optional(pool).await?;
    code.as_deref().map(decode).transpose()
}

/// Whether a customer exists.
pub async fn customer_exists(pool: &PgPool, customer: CustomerId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM customers WHERE id = $1) AS "exists!""#, customer.0).fetch_one(pool).await
}

/// The customer with a Stripe id.
pub async fn customer_by_stripe_id(pool: &PgPool, stripe_customer_id: &str) -> sqlx::Result<Option<CustomerId>> {
    let id = sqlx::query_scalar!("SELECT id FROM customers WHERE stripe_customer_id = $1", stripe_customer_id).fetch_optional(pool).await?;
    Ok(id.map(CustomerId))
}

/// Stripe's id of a customer; None if it has none or doesn't exist.
pub async fn stripe_id(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Option<String>> {
    let id = sqlx::query_scalar!("SELECT stripe_customer_id FROM customers WHERE id = $1", customer.0).fetch_optional(pool).await?;
    Ok(id.flatten())
}

/// The customer added with this name and e-mail address, for repeated commands.
pub async fn customer_added_as(conn: &mut PgConnection, name: &str, email: &str) -> sqlx::Result<Option<CustomerId>> {
    let id = sqlx::query_scalar!(
        "SELECT id FROM customers WHERE coalesce(added_name, name) = $1 AND lower(coalesce(added_email, email)) = lower($2) ORDER BY created_at, id LIMIT 1",
        name,
        email,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(CustomerId))
}

/// A customer's data entered on this platform, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CustomerState {
    pub name: String,
    pub email: Option<String>,
    pub currency: String,
}

/// The customer with a Stripe id before a change, locked until the transaction ends.
pub async fn customer_state(conn: &mut PgConnection, stripe_customer_id: &str) -> sqlx::Result<Option<CustomerState>> {
    sqlx::query_as!(
        CustomerState,
        r#"SELECT coalesce(added_name, name) AS "name!", coalesce(added_email, email) AS email, coalesce(added_currency, currency) AS "currency!"
           FROM customers WHERE stripe_customer_id = $1 FOR NO KEY UPDATE"#,
        stripe_customer_id
    )
    .fetch_optional(conn)
    .await
}

/// Adds a customer that is not in Stripe yet.
pub async fn add_customer(conn: &mut PgConnection, name: &str, email: &str, currency: Currency) -> sqlx::Result<CustomerId> {
    let id = sqlx::query_scalar!(
        "INSERT INTO customers (name, email, currency, added_name, added_email, added_currency) VALUES ($1, $2, $3, $1, $2, $3) RETURNING id",
        name,
        email,
        currency.code(),
    )
    .fetch_one(conn)
    .await?;
    Ok(CustomerId(id))
}

/// A customer's name and e-mail address, as entered on this platform.
pub async fn customer_contact(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Option<(String, Option<String>)>> {
    let row = sqlx::query!(
        r#"SELECT coalesce(added_name, name) AS "name!", coalesce(added_email, email) AS email FROM customers WHERE id = $1"#,
        customer.0
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (row.name, row.email)))
}

/// When a customer was added; None if the Stripe id is unknown.
pub async fn customer_since(pool: &PgPool, stripe_customer_id: &str) -> sqlx::Result<Option<OffsetDateTime>> {
    sqlx::query_scalar!("SELECT created_at FROM customers WHERE stripe_customer_id = $1", stripe_customer_id).fetch_optional(pool).await
}

/// Whether any customer exists.
pub async fn any_customer(pool: &PgPool) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM customers) AS "exists!""#).fetch_one(pool).await
}

/// Adds a customer, or updates the one with this Stripe id; values from Stripe stay unchanged.
pub async fn put_customer(
    conn: &mut PgConnection,
    stripe_customer_id: &str,
    name: &str,
    email: &str,
    currency: Currency,
    at: OffsetDateTime,
) -> sqlx::Result<CustomerId> {
    let id = sqlx::query_scalar!(
        "INSERT INTO customers AS kept (stripe_customer_id, name, email, currency, added_name, added_email, added_currency, created_at)
         VALUES ($1, $2, $3, $4, $2, $3, $4, $5)
         ON CONFLICT (stripe_customer_id) DO UPDATE SET
             name = CASE WHEN kept.event_id IS NULL THEN excluded.name ELSE kept.name END,
             email = CASE WHEN kept.event_id IS NULL THEN excluded.email ELSE kept.email END,
             currency = CASE WHEN kept.event_id IS NULL THEN excluded.currency ELSE kept.currency END,
             added_name = excluded.added_name, added_email = excluded.added_email, added_currency = excluded.added_currency
         RETURNING id",
        stripe_customer_id,
        name,
        email,
        currency.code(),
        at,
    )
    .fetch_one(conn)
    .await?;
    Ok(CustomerId(id))
}

/// An active API key.
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub id: Uuid,
    pub name: String,
    pub customer: CustomerId,
    /// Rounded to the minute.
    pub last_used_at: Option<OffsetDateTime>,
}

/// The key with this SHA-256, unless revoked.
pub async fn api_key(pool: &PgPool, key_hash: &[u8]) -> sqlx::Result<Option<ApiKey>> {
    let row = sqlx::query!("SELECT id, name, customer_id, last_used_at FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL", key_hash)
        .fetch_optional(pool)
        .await?;
    Ok(row.map(|row| ApiKey { id: row.id, name: row.name, customer: CustomerId(row.customer_id), last_used_at: row.last_used_at }))
}

/// Adds a key by its SHA-256; false if it exists, which leaves it unchanged.
pub async fn add_api_key(conn: &mut PgConnection, customer: CustomerId, name: &str, prefix: &str, key_hash: &[u8]) -> sqlx::Result<bool> {
    sqlx::query!(
        "INSERT INTO api_keys (customer_id, name, prefix, key_hash) VALUES ($1, $2, $3, $4) ON CONFLICT (key_hash) DO NOTHING",
        customer.0,
        name,
        prefix,
        key_hash,
    )
    .execute(conn)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Revokes the keys that begin with a prefix; returns how many.
pub async fn revoke_api_key(conn: &mut PgConnection, prefix: &str, at: OffsetDateTime) -> sqlx::Result<u64> {
    sqlx::query!("UPDATE api_keys SET revoked_at = $2 WHERE prefix = $1 AND revoked_at IS NULL", prefix, at)
        .execute(conn)
        .await
        .map(|done| done.rows_affected())
}
