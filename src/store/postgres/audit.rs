//! The audit log: append-only.

pub mod list;
pub mod refusals;
pub mod seals;

use crate::domain::identity::CustomerId;
use serde_json::Value;
use sqlx::PgConnection;

/// A change, and who made it.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// `noun.verb`, e.g. `session.login`.
    pub event_type: &'a str,
    /// An e-mail address, `api_key:NAME`, `stripe` or `system`.
    pub actor: &'a str,
    pub customer: Option<CustomerId>,
    pub data: Value,
    pub ip_address: Option<&'a str>,
    pub user_agent: Option<&'a str>,
}

/// Adds the entry in the caller's transaction.
pub async fn record(conn: &mut PgConnection, entry: Entry<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO billing_audit (event_type, actor, customer_id, data, ip_address, user_agent) VALUES ($1, $2, $3, $4, $5, $6)",
        entry.event_type,
        entry.actor,
        entry.customer.map(|id| id.0),
        entry.data,
        entry.ip_address,
        entry.user_agent,
    )
    .execute(conn)
    .await
    .map(drop)
}
