//! The transactional outbox: domain events, written with the change that they report.

use crate::domain::identity::CustomerId;
use serde_json::Value;
use sqlx::PgConnection;

/// Adds a domain event in the caller's transaction.
pub async fn publish(conn: &mut PgConnection, event_type: &str, customer: Option<CustomerId>, data: Value) -> sqlx::Result<()> {
    sqlx::query!("INSERT INTO events (event_type, customer_id, data) VALUES ($1, $2, $3)", event_type, customer.map(|id| id.0), data)
        .execute(conn)
        .await
        .map(drop)
}
