//! The mirror's objects as records, newest first or by id.

mod records;
mod usage;

pub use usage::{Billed, billed, metered_customers, prices};

use crate::{
    domain::{
        identity::CustomerId,
        mirror::snapshot::InvoiceAmounts,
        reconcile::{Figure, Object, Record, Unit, written},
    },
    store::postgres::subscriptions::{ItemRow, metered_period},
    stripe::record::{LineTotals, Parts, invoice_facts, invoice_figures},
};
use records::{charges, credit_notes, customers, invoices, payments, refunds, subscriptions};
use sqlx::{PgPool, types::Json};
use std::collections::HashMap;
use time::OffsetDateTime;

/// The customer and time span of the objects.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    pub customer: Option<CustomerId>,
    pub from: Option<OffsetDateTime>,
}

/// The position after which a page begins: objects created before the instant, or at it with a
/// smaller id.
#[derive(Clone, Debug)]
pub struct Place {
    pub before: OffsetDateTime,
    pub id: String,
}

/// A page of mirrored objects of a type, newest first, after a position. For types that Stripe
/// lists in the same order.
pub async fn page(pool: &PgPool, object: Object, scope: Scope, after: &Place, limit: i64) -> sqlx::Result<Vec<Record>> {
    let (customer, from) = (scope.customer.map(|customer| customer.0), scope.from);
    let Place { before, id } = after;
    match object {
        Object::Invoice => invoices!(
            pool,
            "(object.created_at, object.stripe_invoice_id) < ($1, $2) AND ($3::timestamptz IS NULL OR object.created_at >= $3)
             AND ($4::uuid IS NULL OR object.customer_id = $4) ORDER BY object.created_at DESC, object.stripe_invoice_id DESC LIMIT $5",
            before,
            id,
            from,
            customer,
            limit
        ),
        Object::Subscription => subscriptions!(
            pool,
            "(object.created_at, object.stripe_subscription_id) < ($1, $2) AND ($3::timestamptz IS NULL OR object.created_at >= $3)
             AND ($4::uuid IS NULL OR object.customer_id = $4) ORDER BY object.created_at DESC, object.stripe_subscription_id DESC LIMIT $5",
            before,
            id,
            from,
            customer,
            limit
        ),
        Object::Charge => charges!(
            pool,
            "(object.created_at, object.stripe_charge_id) < ($1, $2) AND ($3::timestamptz IS NULL OR object.created_at >= $3)
             AND ($4::uuid IS NULL OR object.customer_id = $4) ORDER BY object.created_at DESC, object.stripe_charge_id DESC LIMIT $5",
            before,
            id,
            from,
            customer,
            limit
        ),
        Object::Refund => refunds!(
            pool,
            "(object.created_at, object.stripe_refund_id) < ($1, $2) AND ($3::timestamptz IS NULL OR object.created_at >= $3)
             AND ($4::uuid IS NULL OR object.customer_id = $4) ORDER BY object.created_at DESC, object.stripe_refund_id DESC LIMIT $5",
            before,
            id,
            from,
            customer,
            limit
        ),
        Object::CreditNote => credit_notes!(
            pool,
            "(object.created_at, object.stripe_credit_note_id) < ($1, $2) AND ($3::timestamptz IS NULL OR object.created_at >= $3)
             AND ($4::uuid IS NULL OR object.customer_id = $4) ORDER BY object.created_at DESC, object.stripe_credit_note_id DESC LIMIT $5",
            before,
            id,
            from,
            customer,
            limit
        ),
        Object::Customer | Object::InvoicePayment | Object::Meter | Object::Event => Ok(Vec::new()),
    }
}

/// These mirrored objects.
pub async fn by_ids(pool: &PgPool, object: Object, ids: &[&str]) -> sqlx::Result<Vec<Record>> {
    match object {
        Object::Invoice => invoices!(pool, "object.stripe_invoice_id = ANY($1)", ids as &[&str]),
        Object::Subscription => subscriptions!(pool, "object.stripe_subscription_id = ANY($1)", ids as &[&str]),
        Object::Charge => charges!(pool, "object.stripe_charge_id = ANY($1)", ids as &[&str]),
        Object::Refund => refunds!(pool, "object.stripe_refund_id = ANY($1)", ids as &[&str]),
        Object::CreditNote => credit_notes!(pool, "object.stripe_credit_note_id = ANY($1)", ids as &[&str]),
        Object::Customer => customers!(pool, "object.stripe_customer_id = ANY($1)", ids as &[&str]),
        Object::InvoicePayment => payments!(pool, "object.stripe_payment_id = ANY($1)", ids as &[&str]),
        Object::Meter | Object::Event => Ok(Vec::new()),
    }
}

/// Payments derived from these invoices of an older API version, instead of Stripe's own payments.
pub async fn payments_from_invoices(pool: &PgPool, invoices: &[&str]) -> sqlx::Result<Vec<Record>> {
    payments!(pool, "object.from_invoice AND object.stripe_invoice_id = ANY($1)", invoices as &[&str])
}

/// Customers with a Stripe id that a run has not seen at Stripe, by id after `after`.
pub async fn unseen_customers(pool: &PgPool, run: uuid::Uuid, scope: Scope, after: &str, limit: i64) -> sqlx::Result<Vec<Record>> {
    customers!(
        pool,
        r#"($2::timestamptz IS NULL OR object.created_at >= $2) AND ($3::uuid IS NULL OR object.id = $3)
           AND object.stripe_customer_id COLLATE "C" > $4
           AND NOT EXISTS (SELECT FROM reconciliation_seen WHERE reconciliation_id = $1 AND object_id = object.stripe_customer_id)
           ORDER BY object.stripe_customer_id COLLATE "C" LIMIT $5"#,
        run,
        scope.from,
        scope.customer.map(|customer| customer.0),
        after,
        limit
    )
}

/// Stripe's own payments that a run has not seen at Stripe, by id after `after`.
pub async fn unseen_payments(
    pool: &PgPool,
    run: uuid::Uuid,
    scope: Scope,
    until: OffsetDateTime,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<Record>> {
    payments!(
        pool,
        r#"NOT object.from_invoice AND ($2::timestamptz IS NULL OR object.at >= $2) AND object.at < $3
           AND ($4::uuid IS NULL OR object.customer_id = $4) AND object.stripe_payment_id COLLATE "C" > $5
           AND NOT EXISTS (SELECT FROM reconciliation_seen WHERE reconciliation_id = $1 AND object_id = object.stripe_payment_id)
           ORDER BY object.stripe_payment_id COLLATE "C" LIMIT $6"#,
        run,
        scope.from,
        until,
        scope.customer.map(|customer| customer.0),
        after,
        limit
    )
}

/// Estimated number of objects of a run.
pub async fn count(pool: &PgPool, scope: Scope, until: OffsetDateTime) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT ((SELECT count(*) FROM invoices WHERE NOT deleted AND created_at < $1 AND ($2::timestamptz IS NULL OR created_at >= $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))
                 + (SELECT count(*) FROM subscriptions WHERE created_at < $1 AND ($2::timestamptz IS NULL OR created_at >= $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))
                 + (SELECT count(*) FROM charges WHERE created_at < $1 AND ($2::timestamptz IS NULL OR created_at >= $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))
                 + (SELECT count(*) FROM refunds WHERE created_at < $1 AND ($2::timestamptz IS NULL OR created_at >= $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))
                 + (SELECT count(*) FROM credit_notes WHERE created_at < $1 AND ($2::timestamptz IS NULL OR created_at >= $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))
                 + (SELECT count(*) FROM invoice_payments WHERE at < $1 AND ($2::timestamptz IS NULL OR at >= $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))
                 + (SELECT count(*) FROM customers WHERE stripe_customer_id IS NOT NULL AND NOT deleted AND ($3::uuid IS NULL OR id = $3))) AS "count!""#,
        until,
        scope.from,
        scope.customer.map(|customer| customer.0),
    )
    .fetch_one(pool)
    .await
}

/// Stripe's customer ids of these objects, by object id; objects without a known customer are left
/// out.
pub async fn owners(pool: &PgPool, records: &[&Record]) -> sqlx::Result<HashMap<String, String>> {
    let all = |pick: fn(&Record) -> Option<&str>| -> Vec<&str> { records.iter().filter_map(|record| pick(record)).collect() };
    let names = all(|record| record.customer.as_deref());
    let (invoices, charges, intents) =
        (all(|record| record.invoice.as_deref()), all(|record| record.charge.as_deref()), all(|record| record.payment_intent.as_deref()));
    let rows = sqlx::query!(
        r#"SELECT stripe_customer_id AS "key!", stripe_customer_id AS "customer!" FROM customers WHERE stripe_customer_id = ANY($1)
           UNION ALL SELECT parent.stripe_invoice_id, stripe_customer_id FROM invoices parent JOIN customers ON customers.id = parent.customer_id
               WHERE parent.stripe_invoice_id = ANY($2) AND stripe_customer_id IS NOT NULL
           UNION ALL SELECT parent.stripe_charge_id, stripe_customer_id FROM charges parent JOIN customers ON customers.id = parent.customer_id
               WHERE parent.stripe_charge_id = ANY($3) AND stripe_customer_id IS NOT NULL
           UNION ALL SELECT parent.payment_intent, stripe_customer_id FROM charges parent JOIN customers ON customers.id = parent.customer_id
               WHERE parent.payment_intent = ANY($4) AND stripe_customer_id IS NOT NULL"#,
        &names as &[&str],
        &invoices as &[&str],
        &charges as &[&str],
        &intents as &[&str],
    )
    .fetch_all(pool)
    .await?;
    let known: HashMap<String, String> = rows.into_iter().map(|row| (row.key, row.customer)).collect();
    let owner = |record: &Record| match &record.customer {
        Some(name) => known.get(name),
        None => [&record.charge, &record.payment_intent, &record.invoice].into_iter().flatten().find_map(|key| known.get(key)),
    };
    Ok(records.iter().filter_map(|record| Some((record.id.clone(), owner(record)?.clone()))).collect())
}
