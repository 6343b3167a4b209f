//! Billing contacts.

use super::decode;
use crate::domain::{email::EmailAddress, identity::CustomerId, settings::Contact};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A customer's contacts, by their address.
pub async fn list(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Vec<Contact>> {
    let rows = sqlx::query!("SELECT id, name, email FROM billing_contacts WHERE customer_id = $1 ORDER BY email", customer.0)
        .fetch_all(pool)
        .await?;
    rows.into_iter().map(|row| Ok(Contact { id: row.id, name: row.name, email: decode(&row.email)? })).collect()
}

/// Adds a contact, or renames the one with this address. Locks the customer's row until the
/// transaction ends. Returns the contact before and after.
pub async fn put(
    conn: &mut PgConnection,
    customer: CustomerId,
    name: Option<&str>,
    email: &EmailAddress,
) -> sqlx::Result<(Option<Contact>, Contact)> {
    sqlx::query!("SELECT id FROM customers WHERE id = $1 FOR NO KEY UPDATE", customer.0).fetch_one(&mut *conn).await?;
    let before = sqlx::query!("SELECT id, name FROM billing_contacts WHERE customer_id = $1 AND email = $2", customer.0, email.as_str())
        .fetch_optional(&mut *conn)
        .await?
        .map(|row| Contact { id: row.id, name: row.name, email: email.clone() });
    let row = sqlx::query!(
        "INSERT INTO billing_contacts (customer_id, name, email) VALUES ($1, $2, $3)
         ON CONFLICT ON CONSTRAINT billing_contacts_email DO UPDATE SET name = excluded.name
         RETURNING id",
        customer.0,
        name,
        email.as_str(),
    )
    .fetch_one(conn)
    .await?;
    Ok((before, Contact { id: row.id, name: name.map(str::to_owned), email: email.clone() }))
}

/// A customer's number of contacts.
pub async fn count(conn: &mut PgConnection, customer: CustomerId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM billing_contacts WHERE customer_id = $1"#, customer.0).fetch_one(conn).await
}

/// Removes a customer's contact and returns it; None if it doesn't exist.
pub async fn remove(conn: &mut PgConnection, customer: CustomerId, id: Uuid) -> sqlx::Result<Option<Contact>> {
    let row = sqlx::query!("DELETE FROM billing_contacts WHERE customer_id = $1 AND id = $2 RETURNING name, email", customer.0, id)
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok(Contact { id, name: row.name, email: decode(&row.email)? })).transpose()
}

/// Stripe's address for a customer's invoices.
pub async fn billing_email(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Option<String>> {
    let email = sqlx::query_scalar!("SELECT email FROM customers WHERE id = $1", customer.0).fetch_optional(pool).await?;
    Ok(email.flatten())
}
