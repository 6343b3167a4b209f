//! Rows of an older reader: the rows, their stored events, and the displayed fields of an invoice.

use crate::domain::identity::CustomerId;
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;

/// Tables with a reader version. A new one needs a line here and in each function below, the
/// columns `reader_version` and `reader_event` with their index (migration 0035), and both in its
/// put statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Invoices,
    CreditNotes,
    Subscriptions,
}

impl Table {
    pub const ALL: [Table; 3] = [Table::Invoices, Table::CreditNotes, Table::Subscriptions];

    pub const fn name(self) -> &'static str {
        match self {
            Table::Invoices => "invoices",
            Table::CreditNotes => "credit_notes",
            Table::Subscriptions => "subscriptions",
        }
    }
}

/// A row of an older reader.
#[derive(Clone, Debug)]
pub struct Stale {
    /// Stripe's id.
    pub object_id: String,
    pub customer: CustomerId,
    /// The event that wrote it last, and its body, if stored.
    pub event_id: String,
    pub payload: Option<String>,
}

// Event ids compare bytewise in the mirror, and by the database's collation in the inbox.
macro_rules! stale {
    ($db:expr, $table:tt, $id:tt, $version:expr, $limit:expr) => {
        sqlx::query!(
            "SELECT object."
                + $id
                + r#" AS "object_id!", object.customer_id AS "customer_id!", object.event_id AS "event_id!", event.payload AS "payload?"
             FROM (SELECT * FROM "#
                + $table
                + r#" WHERE (CASE WHEN reader_event = event_id THEN reader_version ELSE 0 END) < $1 LIMIT $2) AS object
                  LEFT JOIN LATERAL (
                      SELECT payload FROM stripe_webhook_events WHERE stripe_event_id = object.event_id COLLATE "default" OFFSET 0
                  ) AS event ON true"#,
            $version,
            $limit,
        )
        .map(|row| Stale { object_id: row.object_id, customer: CustomerId(row.customer_id), event_id: row.event_id, payload: row.payload })
        .fetch_all($db)
        .await
    };
}

macro_rules! done {
    ($db:expr, $table:tt, $id:tt, $version:expr, $ids:expr, $events:expr) => {
        sqlx::query!(
            "UPDATE "
                + $table
                + " AS object SET reader_version = $1, reader_event = object.event_id
             FROM unnest($2::text[], $3::text[]) AS read(object_id, event_id)
             WHERE object."
                + $id
                + r#" = ANY($2) AND object."#
                + $id
                + r#" = read.object_id AND object.event_id = read.event_id COLLATE "C""#,
            $version,
            $ids as &[&str],
            $events as &[&str],
        )
        .execute($db)
        .await
        .map(drop)
    };
}

/// Some of the rows of readers older than this one.
pub async fn stale(conn: &mut PgConnection, table: Table, version: i32, limit: i64) -> sqlx::Result<Vec<Stale>> {
    match table {
        Table::Invoices => stale!(conn, "invoices", "stripe_invoice_id", version, limit),
        Table::CreditNotes => stale!(conn, "credit_notes", "stripe_credit_note_id", version, limit),
        Table::Subscriptions => stale!(conn, "subscriptions", "stripe_subscription_id", version, limit),
    }
}

/// Whether there are any; uses an index.
pub async fn any_stale(pool: &PgPool, table: Table, version: i32) -> sqlx::Result<bool> {
    macro_rules! any {
        ($table:tt) => {
            sqlx::query_scalar!(
                "SELECT EXISTS (SELECT FROM "
                    + $table
                    + r#" WHERE (CASE WHEN reader_event = event_id THEN reader_version ELSE 0 END) < $1) AS "any!""#,
                version
            )
            .fetch_one(pool)
            .await
        };
    }
    match table {
        Table::Invoices => any!("invoices"),
        Table::CreditNotes => any!("credit_notes"),
        Table::Subscriptions => any!("subscriptions"),
    }
}

/// Sets rows to this reader's version, unless another event has written them since; fields that the
/// event lacks stay unchanged.
pub async fn done(conn: &mut PgConnection, table: Table, version: i32, rows: &[&Stale]) -> sqlx::Result<()> {
    let ids: Vec<&str> = rows.iter().map(|row| row.object_id.as_str()).collect();
    let events: Vec<&str> = rows.iter().map(|row| row.event_id.as_str()).collect();
    match table {
        Table::Invoices => done!(conn, "invoices", "stripe_invoice_id", version, &ids, &events),
        Table::CreditNotes => done!(conn, "credit_notes", "stripe_credit_note_id", version, &ids, &events),
        Table::Subscriptions => done!(conn, "subscriptions", "stripe_subscription_id", version, &ids, &events),
    }
}

/// A few of the bodies from fetches of this object, newest first.
pub async fn fetched(conn: &mut PgConnection, object_id: &str, event_type: &str) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "SELECT payload FROM stripe_webhook_events WHERE object_id = $1 AND event_type = $2 AND status = 'applied'
         ORDER BY stripe_created_at DESC, id DESC LIMIT 3",
        object_id,
        event_type,
    )
    .fetch_all(conn)
    .await
}

/// A digest of the displayed fields of each of these invoices, by Stripe's ids.
pub async fn shown(conn: &mut PgConnection, invoices: &[&str]) -> sqlx::Result<HashMap<String, String>> {
    let rows = sqlx::query_file!("src/store/postgres/mirror/shown.sql", invoices as &[&str]).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.digest)).collect())
}

/// Increases the versions of invoices whose display changes.
pub async fn changed(conn: &mut PgConnection, invoices: &[&str]) -> sqlx::Result<()> {
    sqlx::query!("UPDATE invoices SET version = version + 1, updated_at = now() WHERE stripe_invoice_id = ANY($1)", invoices as &[&str])
        .execute(conn)
        .await
        .map(drop)
}
