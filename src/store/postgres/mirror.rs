//! The mirror of Stripe's objects: each row is the newest snapshot, by the order of
//! `domain::mirror`.
//!
//! [`put`] writes snapshots of different objects unless newer ones exist, in one statement per
//! table, and returns the Stripe ids of the written ones. [`link`] then recomputes what depends on
//! several objects, so that the result is the same in any order of arrival.

mod customers;
mod link;
pub mod lookups;
pub mod originals;
pub mod refunds;
pub mod reread;

pub use customers::{add_customer, link_customer, lock_claim};
pub use link::{Reference, link};

use crate::domain::{
    identity::CustomerId,
    mirror::{
        Stamp,
        snapshot::{
            AlertSnapshot, Change, ChargeSnapshot, CreditNoteSnapshot, CustomerSnapshot, InvoicePaymentSnapshot, InvoiceSnapshot, Mirrored,
            Named, RefundSnapshot, Snapshot, SubscriptionSnapshot,
        },
    },
};
use serde::Serialize;
use sqlx::{PgConnection, types::Json};
use std::collections::{HashMap, HashSet};
use time::OffsetDateTime;

/// First half of the advisory locks' keys; no other lock of this program uses it or the next two.
const LOCK_SPACE: i32 = 0x5354_5250;

/// Begins a transaction that writes a batch. Its statements take arrays of any length: planning
/// each anew costs more than it gains. Cached plans from when tables were small stay in use as
/// tables grow, so every lookup has to use an index from the start (see also `link`). JIT
/// compilation takes longer than a batch, whatever the planner estimates.
pub const BEGIN: &str = "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL jit = off; \
    SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";

/// A row of the mirror for PostgreSQL: the snapshot's fields have the names of the columns.
#[derive(Clone, Debug, Serialize)]
pub struct Row<'a, S> {
    customer_id: Option<CustomerId>,
    deleted: bool,
    #[serde(with = "time::serde::rfc3339")]
    event_created_at: OffsetDateTime,
    event_rank: i16,
    event_progress: i64,
    event_id: &'a str,
    reader_version: i32,
    /// The unknown ids that the snapshot references.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lookups: Vec<&'a str>,
    #[serde(flatten)]
    snapshot: &'a S,
}

impl<'a, S: Mirrored> Row<'a, S> {
    pub fn new(customer: Option<CustomerId>, stamp: &'a Stamp, snapshot: &'a S) -> Row<'a, S> {
        Row {
            customer_id: customer,
            deleted: stamp.deleted,
            event_created_at: stamp.created,
            event_rank: stamp.rank,
            event_progress: stamp.progress,
            event_id: &stamp.event_id,
            reader_version: S::READER_VERSION,
            lookups: Vec::new(),
            snapshot,
        }
    }

    pub const fn snapshot(&self) -> &'a S {
        self.snapshot
    }

    /// Makes the row wait for those of its ids that are unknown.
    pub fn wait_for(&mut self, named: &'a Named, unknown: &HashSet<String>) {
        self.lookups = named.ids.iter().map(|(_, id)| id.as_str()).filter(|id| unknown.contains(*id)).collect();
    }
}

/// Serializes changes of each of these customers until the transaction ends. Objects without a
/// customer (`anybody`) could belong to any, so they exclude all others.
pub async fn lock(conn: &mut PgConnection, customers: &[CustomerId], anybody: bool) -> sqlx::Result<()> {
    // All transactions take the first lock first and the others in the order of their keys, so they
    // don't deadlock.
    if anybody {
        sqlx::query!("SELECT pg_advisory_xact_lock($1, 0)", LOCK_SPACE).fetch_one(&mut *conn).await?;
    }
    sqlx::query!(
        "WITH first AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared($1, 0))
         SELECT pg_advisory_xact_lock($2, key) FROM first, (SELECT DISTINCT hashtext(id::text) AS key FROM unnest($3::uuid[]) AS id ORDER BY key) AS keys",
        LOCK_SPACE,
        LOCK_SPACE + 1,
        &customers.iter().map(|customer| customer.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut *conn)
    .await?;
    Ok(())
}

/// Known facts about deliveries before they are applied.
#[derive(Clone, Debug, Default)]
pub struct Prefetched {
    /// The events that are already in the inbox.
    pub stored: HashSet<String>,
    /// Customers by Stripe's ids; unknown ones are missing.
    pub customers: HashMap<String, CustomerId>,
    /// Whether this transaction holds the locks of these customers, as after [`lock`].
    pub locked: bool,
}

/// Reads all of it in one statement, and takes the customers' locks if `lock` is set.
pub async fn prefetch(
    conn: &mut PgConnection,
    stripe_event_ids: &[&str],
    stripe_customer_ids: &[&str],
    lock: bool,
) -> sqlx::Result<Prefetched> {
    let rows = sqlx::query!(
        r#"WITH known AS MATERIALIZED (
               SELECT stripe_customer_id, id FROM customers WHERE stripe_customer_id = ANY($2)
           ), first AS MATERIALIZED (
               SELECT pg_advisory_xact_lock_shared($4, 0) WHERE $3 AND EXISTS (SELECT FROM known)
           ), locked AS MATERIALIZED (
               SELECT pg_advisory_xact_lock($5, key) FROM first, (SELECT DISTINCT hashtext(id::text) AS key FROM known ORDER BY key) AS keys
           )
           SELECT stripe_customer_id AS "stripe_id!", id FROM known WHERE (SELECT count(*) FROM locked) >= 0
           UNION ALL SELECT stripe_event_id, NULL FROM stripe_webhook_events WHERE stripe_event_id = ANY($1)"#,
        stripe_event_ids as &[&str],
        stripe_customer_ids as &[&str],
        lock,
        LOCK_SPACE,
        LOCK_SPACE + 1,
    )
    .fetch_all(conn)
    .await?;
    let mut prefetched = Prefetched { locked: lock, ..Prefetched::default() };
    for row in rows {
        match row.id {
            Some(id) => drop(prefetched.customers.insert(row.stripe_id, CustomerId(id))),
            None => drop(prefetched.stored.insert(row.stripe_id)),
        }
    }
    Ok(prefetched)
}

/// Which of these Stripe customers are known.
pub async fn customers(conn: &mut PgConnection, stripe_customer_ids: &[&str]) -> sqlx::Result<HashMap<String, CustomerId>> {
    let rows = sqlx::query!(
        r#"SELECT stripe_customer_id AS "stripe_id!", id FROM customers WHERE stripe_customer_id = ANY($1)"#,
        stripe_customer_ids as &[&str],
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.stripe_id, CustomerId(row.id))).collect())
}

/// The customer of an object without one, from its parent: a payment's invoice, a refund's charge
/// or payment.
pub async fn customer_of_parent(conn: &mut PgConnection, snapshot: &Snapshot) -> sqlx::Result<Option<CustomerId>> {
    let (invoice, charge, payment_intent) = match snapshot {
        Snapshot::Payment(payment) => (Some(payment.invoice.as_str()), None, None),
        Snapshot::Refund(refund) => (None, refund.charge.as_deref(), refund.payment_intent.as_deref()),
        Snapshot::Invoice(_)
        | Snapshot::Subscription(_)
        | Snapshot::Charge(_)
        | Snapshot::Customer(_)
        | Snapshot::CreditNote(_)
        | Snapshot::Alert(_) => {
            return Ok(None);
        }
    };
    let id = sqlx::query_scalar!(
        r#"SELECT customer_id AS "id!" FROM invoices WHERE stripe_invoice_id = $1
           UNION ALL SELECT customer_id FROM charges WHERE stripe_charge_id = $2
           UNION ALL SELECT customer_id FROM charges WHERE payment_intent = $3
           UNION ALL SELECT customer_id FROM invoice_payments WHERE payment_intent = $3 AND customer_id IS NOT NULL
           LIMIT 1"#,
        invoice,
        charge,
        payment_intent,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(CustomerId))
}

/// The mirror table of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    Invoices,
    Subscriptions,
    Charges,
    Refunds,
    Payments,
    CreditNotes,
    Customers,
    Alerts,
}

impl Table {
    pub const fn of(snapshot: &Snapshot) -> Table {
        match snapshot {
            Snapshot::Invoice(_) => Table::Invoices,
            Snapshot::Subscription(_) => Table::Subscriptions,
            Snapshot::Charge(_) => Table::Charges,
            Snapshot::Refund(_) => Table::Refunds,
            Snapshot::Payment(_) => Table::Payments,
            Snapshot::CreditNote(_) => Table::CreditNotes,
            Snapshot::Customer(_) => Table::Customers,
            Snapshot::Alert(_) => Table::Alerts,
        }
    }
}

/// Which existing rows a snapshot replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// Only rows of an earlier second.
    Newer,
    /// Also another snapshot of the same second: the new one was chosen among all that are known.
    Chosen,
}

/// Writes snapshots of different objects, in one statement per table. A payment or a refund may
/// have no customer until its parent arrives. Returns the Stripe ids of the written ones.
pub async fn put(conn: &mut PgConnection, changes: &[(Option<CustomerId>, &Change)], how: Put) -> sqlx::Result<Vec<(Table, String)>> {
    let mut rows = Rows::default();
    for (customer, Change { stamp, snapshot }) in changes {
        match snapshot {
            Snapshot::Invoice(invoice) => rows.invoices.push(Row::new(*customer, stamp, &**invoice)),
            Snapshot::Subscription(subscription) => rows.subscriptions.push(Row::new(*customer, stamp, &**subscription)),
            Snapshot::Charge(charge) => rows.charges.push(Row::new(*customer, stamp, charge)),
            Snapshot::Refund(refund) => rows.refunds.push(Row::new(*customer, stamp, refund)),
            Snapshot::Payment(payment) => rows.payments.push(Row::new(*customer, stamp, payment)),
            Snapshot::CreditNote(credit_note) => rows.credit_notes.push(Row::new(*customer, stamp, &**credit_note)),
            Snapshot::Customer(described) => rows.customers.push(Row::new(*customer, stamp, &**described)),
            Snapshot::Alert(alert) => rows.alerts.push(Row::new(*customer, stamp, alert)),
        }
    }
    let of_credit_notes = rows.credit_notes.iter().map(|row| &row.snapshot().named);
    let unknown = lookups::learn(conn, rows.invoices.iter().map(|row| &row.snapshot().named).chain(of_credit_notes)).await?;
    for row in &mut rows.invoices {
        row.wait_for(&row.snapshot().named, &unknown);
    }
    let mut written = Vec::new();
    macro_rules! put_all {
        ($put:path, $rows:ident, $table:expr) => {
            if !rows.$rows.is_empty() {
                let ids = $put(conn, &rows.$rows, how).await?;
                written.extend(ids.into_iter().map(|id| ($table, id)));
            }
        };
    }
    put_all!(put_invoices, invoices, Table::Invoices);
    put_all!(put_subscriptions, subscriptions, Table::Subscriptions);
    put_all!(put_charges, charges, Table::Charges);
    put_all!(put_refunds, refunds, Table::Refunds);
    put_all!(put_payments, payments, Table::Payments);
    put_all!(put_credit_notes, credit_notes, Table::CreditNotes);
    put_all!(customers::put_customers, customers, Table::Customers);
    put_all!(put_alerts, alerts, Table::Alerts);
    Ok(written)
}

macro_rules! put_fn {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident of $snapshot:ty: $file:tt) => {
        $(#[$doc])*
        $visibility async fn $name(conn: &mut PgConnection, rows: &[Row<'_, $snapshot>], how: Put) -> sqlx::Result<Vec<String>> {
            sqlx::query_file_scalar!($file, Json(rows) as _, how == Put::Chosen).fetch_all(conn).await
        }
    };
}

put_fn! {
    /// Writes invoices with their lines.
    pub fn put_invoices of InvoiceSnapshot: "src/store/postgres/mirror/put_invoices.sql"
}
put_fn! {
    /// Writes subscriptions with their items.
    pub fn put_subscriptions of SubscriptionSnapshot: "src/store/postgres/mirror/put_subscriptions.sql"
}
put_fn! {
    /// Writes credit notes.
    pub fn put_credit_notes of CreditNoteSnapshot: "src/store/postgres/mirror/put_credit_notes.sql"
}
put_fn! { fn put_charges of ChargeSnapshot: "src/store/postgres/mirror/put_charges.sql" }
put_fn! { fn put_refunds of RefundSnapshot: "src/store/postgres/mirror/put_refunds.sql" }
put_fn! { fn put_payments of InvoicePaymentSnapshot: "src/store/postgres/mirror/put_payments.sql" }
put_fn! { fn put_alerts of AlertSnapshot: "src/store/postgres/mirror/put_alerts.sql" }

/// The rows of each table.
#[derive(Default)]
struct Rows<'a> {
    invoices: Vec<Row<'a, InvoiceSnapshot>>,
    subscriptions: Vec<Row<'a, SubscriptionSnapshot>>,
    charges: Vec<Row<'a, ChargeSnapshot>>,
    refunds: Vec<Row<'a, RefundSnapshot>>,
    payments: Vec<Row<'a, InvoicePaymentSnapshot>>,
    credit_notes: Vec<Row<'a, CreditNoteSnapshot>>,
    customers: Vec<Row<'a, CustomerSnapshot>>,
    alerts: Vec<Row<'a, AlertSnapshot>>,
}
