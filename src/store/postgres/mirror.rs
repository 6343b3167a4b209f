//! The mirror of Stripe's objects: each row is the newest snapshot, by the order of `domain::mirror`.
//!
//! The `put_…` functions write a snapshot unless a newer one is there, and tell whether they did. [`link`] then works out anew what
//! follows from several objects together, so that it comes out the same whichever of them came first.

mod credit_notes;
mod customers;
mod link;

pub use credit_notes::put_credit_note;
pub use customers::{add_customer, link_customer, lock_acquaintance, put_customer};
pub use link::{Touched, link};

use crate::{
    domain::{identity::CustomerId, mirror::Stamp},
    stripe::webhook::snapshot::{
        ChargeSnapshot, InvoicePaymentSnapshot, InvoiceSnapshot, LineSnapshot, RefundSnapshot, Snapshot, SubscriptionSnapshot,
    },
};
use sqlx::PgConnection;
use uuid::Uuid;

/// First half of the advisory locks' keys; no other lock of this program uses it or the two after it.
const LOCK_SPACE: i32 = 0x5354_5250;

/// Puts one customer's changes in a row until the transaction ends. What names no customer (None) could be anybody's, and goes alone.
pub async fn lock(conn: &mut PgConnection, customer: Option<CustomerId>) -> sqlx::Result<()> {
    match customer {
        None => {
            sqlx::query!("SELECT pg_advisory_xact_lock($1, 0)", LOCK_SPACE).fetch_one(&mut *conn).await?;
        }
        Some(customer) => {
            // Always in this order: nobody waits in a circle.
            sqlx::query!("SELECT pg_advisory_xact_lock_shared($1, 0)", LOCK_SPACE).fetch_one(&mut *conn).await?;
            sqlx::query!("SELECT pg_advisory_xact_lock($1, hashtext($2))", LOCK_SPACE + 1, customer.to_string())
                .fetch_one(&mut *conn)
                .await?;
        }
    }
    Ok(())
}

/// The customer that Stripe calls so.
pub async fn customer(conn: &mut PgConnection, stripe_customer_id: &str) -> sqlx::Result<Option<CustomerId>> {
    let id = sqlx::query_scalar!("SELECT id FROM customers WHERE stripe_customer_id = $1", stripe_customer_id).fetch_optional(conn).await?;
    Ok(id.map(CustomerId))
}

/// The customer of an object that names none, by what it belongs to: a payment's invoice, a refund's charge or payment.
pub async fn customer_of_parent(conn: &mut PgConnection, snapshot: &Snapshot) -> sqlx::Result<Option<CustomerId>> {
    let (invoice, charge, payment_intent) = match snapshot {
        Snapshot::Payment(payment) => (Some(payment.invoice.as_str()), None, None),
        Snapshot::Refund(refund) => (None, refund.charge.as_deref(), refund.payment_intent.as_deref()),
        Snapshot::Invoice(_) | Snapshot::Subscription(_) | Snapshot::Charge(_) | Snapshot::Customer(_) | Snapshot::CreditNote(_) => {
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

/// Writes an invoice with its lines.
pub async fn put_invoice(conn: &mut PgConnection, customer: CustomerId, invoice: &InvoiceSnapshot, stamp: &Stamp) -> sqlx::Result<bool> {
    let amounts = &invoice.amounts;
    let written = sqlx::query_file_scalar!(
        "src/store/postgres/mirror/put_invoice.sql",
        customer.0,
        invoice.id,
        invoice.subscription,
        invoice.number,
        invoice.status.as_str(),
        stamp.deleted,
        invoice.currency.code(),
        amounts.subtotal,
        amounts.discount,
        amounts.tax,
        amounts.total,
        amounts.due,
        amounts.paid,
        amounts.remaining,
        amounts.overpaid,
        amounts.starting_balance,
        amounts.ending_balance,
        amounts.credit_notes_pre_payment,
        amounts.credit_notes_post_payment,
        invoice.paid_out_of_band,
        invoice.billing_reason,
        invoice.description,
        invoice.customer_name,
        invoice.customer_email,
        invoice.customer_address,
        invoice.customer_tax_id,
        invoice.period.start,
        invoice.period.end,
        invoice.created_at,
        invoice.due_date,
        invoice.finalized_at,
        invoice.paid_at,
        invoice.voided_at,
        invoice.marked_uncollectible_at,
        invoice.hosted_invoice_url,
        invoice.lines_complete,
        stamp.created,
        stamp.rank,
        stamp.progress,
        stamp.event_id,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(id) = written else { return Ok(false) };
    put_lines(conn, id, &invoice.lines).await?;
    Ok(true)
}

async fn put_lines(conn: &mut PgConnection, invoice: Uuid, lines: &[LineSnapshot]) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM invoice_line_items WHERE invoice_id = $1", invoice).execute(&mut *conn).await?;
    sqlx::query!(
        r#"INSERT INTO invoice_line_items
               (invoice_id, position, stripe_line_id, description, quantity, unit_amount, amount, proration, price_id, period_start, period_end)
           SELECT $1, position - 1, id, description, quantity, unit_amount, amount, proration, price, period_start, period_end
           FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::boolean[], $8::text[], $9::timestamptz[], $10::timestamptz[])
               WITH ORDINALITY AS line (id, description, quantity, unit_amount, amount, proration, price, period_start, period_end, position)"#,
        invoice,
        &lines.iter().map(|line| line.id.clone()).collect::<Vec<_>>(),
        &lines.iter().map(|line| line.description.clone()).collect::<Vec<_>>(),
        &lines.iter().map(|line| line.quantity).collect::<Vec<_>>() as &[Option<i64>],
        &lines.iter().map(|line| line.unit_amount.clone()).collect::<Vec<_>>() as &[Option<String>],
        &lines.iter().map(|line| line.amount).collect::<Vec<_>>(),
        &lines.iter().map(|line| line.proration).collect::<Vec<_>>(),
        &lines.iter().map(|line| line.price.clone()).collect::<Vec<_>>() as &[Option<String>],
        &lines.iter().map(|line| line.period.start).collect::<Vec<_>>() as &[Option<time::OffsetDateTime>],
        &lines.iter().map(|line| line.period.end).collect::<Vec<_>>() as &[Option<time::OffsetDateTime>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes a subscription with its items.
pub async fn put_subscription(
    conn: &mut PgConnection,
    customer: CustomerId,
    subscription: &SubscriptionSnapshot,
    stamp: &Stamp,
) -> sqlx::Result<bool> {
    let written = sqlx::query_scalar!(
        r#"INSERT INTO subscriptions AS kept (customer_id, stripe_subscription_id, status, plan_type, currency, current_period_start, current_period_end,
               cancel_at_period_end, cancel_at, canceled_at, ended_at, created_at, deleted, event_created_at, event_rank, event_progress, event_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
           ON CONFLICT (stripe_subscription_id) DO UPDATE SET
               customer_id = excluded.customer_id, status = excluded.status, plan_type = excluded.plan_type, currency = excluded.currency,
               current_period_start = excluded.current_period_start, current_period_end = excluded.current_period_end,
               cancel_at_period_end = excluded.cancel_at_period_end, cancel_at = excluded.cancel_at, canceled_at = excluded.canceled_at,
               ended_at = excluded.ended_at, created_at = excluded.created_at, deleted = excluded.deleted, event_created_at = excluded.event_created_at,
               event_rank = excluded.event_rank, event_progress = excluded.event_progress, event_id = excluded.event_id, updated_at = now()
           WHERE (excluded.deleted, excluded.event_created_at, excluded.event_rank, excluded.event_progress, excluded.event_id)
               > (kept.deleted, kept.event_created_at, kept.event_rank, kept.event_progress, kept.event_id)
           RETURNING id"#,
        customer.0,
        subscription.id,
        subscription.status,
        subscription.plan.map(|plan| plan.as_str()),
        subscription.currency.code(),
        subscription.current_period.start,
        subscription.current_period.end,
        subscription.cancel_at_period_end,
        subscription.cancel_at,
        subscription.canceled_at,
        subscription.ended_at,
        subscription.created_at,
        stamp.deleted,
        stamp.created,
        stamp.rank,
        stamp.progress,
        stamp.event_id,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(id) = written else { return Ok(false) };
    sqlx::query!("DELETE FROM subscription_items WHERE subscription_id = $1", id).execute(&mut *conn).await?;
    for item in &subscription.items {
        sqlx::query!(
            "INSERT INTO subscription_items (subscription_id, stripe_item_id, price_id, lookup_key, quantity) VALUES ($1, $2, $3, $4, $5)",
            id,
            item.id,
            item.price,
            item.lookup_key,
            item.quantity,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(true)
}

/// Writes a charge.
pub async fn put_charge(conn: &mut PgConnection, customer: CustomerId, charge: &ChargeSnapshot, stamp: &Stamp) -> sqlx::Result<bool> {
    let written = sqlx::query!(
        r#"INSERT INTO charges AS kept (stripe_charge_id, customer_id, stripe_invoice_id, payment_intent, currency, amount, amount_refunded, status, method,
               created_at, event_created_at, event_rank, event_progress, event_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
           ON CONFLICT (stripe_charge_id) DO UPDATE SET
               customer_id = excluded.customer_id, stripe_invoice_id = excluded.stripe_invoice_id, payment_intent = excluded.payment_intent,
               currency = excluded.currency, amount = excluded.amount, amount_refunded = excluded.amount_refunded, status = excluded.status,
               method = excluded.method, created_at = excluded.created_at, event_created_at = excluded.event_created_at,
               event_rank = excluded.event_rank, event_progress = excluded.event_progress, event_id = excluded.event_id
           WHERE (excluded.event_created_at, excluded.event_rank, excluded.event_progress, excluded.event_id)
               > (kept.event_created_at, kept.event_rank, kept.event_progress, kept.event_id)"#,
        charge.id,
        customer.0,
        charge.invoice,
        charge.payment_intent,
        charge.currency.code(),
        charge.amount,
        charge.amount_refunded,
        charge.status,
        charge.method,
        charge.created_at,
        stamp.created,
        stamp.rank,
        stamp.progress,
        stamp.event_id,
    )
    .execute(conn)
    .await?;
    Ok(written.rows_affected() > 0)
}

/// Writes a refund; without a customer until its charge has told.
pub async fn put_refund(
    conn: &mut PgConnection,
    customer: Option<CustomerId>,
    refund: &RefundSnapshot,
    stamp: &Stamp,
) -> sqlx::Result<bool> {
    let written = sqlx::query!(
        r#"INSERT INTO refunds AS kept (stripe_refund_id, customer_id, stripe_charge_id, payment_intent, currency, amount, status, reason,
               created_at, event_created_at, event_rank, event_progress, event_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
           ON CONFLICT (stripe_refund_id) DO UPDATE SET
               customer_id = coalesce(excluded.customer_id, kept.customer_id), stripe_charge_id = excluded.stripe_charge_id,
               payment_intent = coalesce(excluded.payment_intent, kept.payment_intent), currency = excluded.currency, amount = excluded.amount,
               status = excluded.status, reason = excluded.reason, created_at = excluded.created_at, event_created_at = excluded.event_created_at,
               event_rank = excluded.event_rank, event_progress = excluded.event_progress, event_id = excluded.event_id
           WHERE (excluded.event_created_at, excluded.event_rank, excluded.event_progress, excluded.event_id)
               > (kept.event_created_at, kept.event_rank, kept.event_progress, kept.event_id)"#,
        refund.id,
        customer.map(|customer| customer.0),
        refund.charge,
        refund.payment_intent,
        refund.currency.code(),
        refund.amount,
        refund.status,
        refund.reason,
        refund.created_at,
        stamp.created,
        stamp.rank,
        stamp.progress,
        stamp.event_id,
    )
    .execute(conn)
    .await?;
    Ok(written.rows_affected() > 0)
}

/// Writes a payment towards an invoice; without a customer until its invoice has told.
pub async fn put_payment(
    conn: &mut PgConnection,
    customer: Option<CustomerId>,
    payment: &InvoicePaymentSnapshot,
    stamp: &Stamp,
) -> sqlx::Result<bool> {
    let written = sqlx::query!(
        r#"INSERT INTO invoice_payments AS kept (stripe_payment_id, stripe_invoice_id, customer_id, from_invoice, payment_intent, charge, amount, status,
               method, at, event_created_at, event_rank, event_progress, event_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
           ON CONFLICT (stripe_payment_id) DO UPDATE SET
               stripe_invoice_id = excluded.stripe_invoice_id, customer_id = coalesce(excluded.customer_id, kept.customer_id),
               payment_intent = excluded.payment_intent, charge = excluded.charge, amount = excluded.amount, status = excluded.status,
               method = excluded.method, at = excluded.at, event_created_at = excluded.event_created_at,
               event_rank = excluded.event_rank, event_progress = excluded.event_progress, event_id = excluded.event_id
           WHERE (excluded.event_created_at, excluded.event_rank, excluded.event_progress, excluded.event_id)
               > (kept.event_created_at, kept.event_rank, kept.event_progress, kept.event_id)"#,
        payment.id,
        payment.invoice,
        customer.map(|customer| customer.0),
        payment.from_invoice,
        payment.payment_intent,
        payment.charge,
        payment.amount,
        payment.status,
        payment.method,
        payment.at,
        stamp.created,
        stamp.rank,
        stamp.progress,
        stamp.event_id,
    )
    .execute(conn)
    .await?;
    Ok(written.rows_affected() > 0)
}
