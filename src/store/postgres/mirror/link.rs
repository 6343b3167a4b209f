//! What follows from several of a customer's objects together: whose a payment or a refund is, what a payment was made with, and how
//! much of an invoice was given back.

use crate::{domain::identity::CustomerId, stripe::webhook::snapshot::Snapshot};
use sqlx::PgConnection;

/// Ids that an event touched: what hangs together with them is worked out anew.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    invoices: Vec<String>,
    charges: Vec<String>,
    payment_intents: Vec<String>,
}

impl Touched {
    pub fn add(&mut self, snapshot: &Snapshot) {
        match snapshot {
            Snapshot::Invoice(invoice) => self.invoices.push(invoice.id.clone()),
            Snapshot::Payment(payment) => {
                self.invoices.push(payment.invoice.clone());
                self.charges.extend(payment.charge.clone());
                self.payment_intents.extend(payment.payment_intent.clone());
            }
            Snapshot::Charge(charge) => {
                self.invoices.extend(charge.invoice.clone());
                self.charges.push(charge.id.clone());
                self.payment_intents.extend(charge.payment_intent.clone());
            }
            Snapshot::Refund(refund) => {
                self.charges.extend(refund.charge.clone());
                self.payment_intents.extend(refund.payment_intent.clone());
            }
            Snapshot::CreditNote(credit_note) => self.invoices.push(credit_note.invoice.clone()),
            Snapshot::Subscription(_) | Snapshot::Customer(_) => {}
        }
    }
}

/// Links the customer's objects around the touched ones; the answer is the Stripe ids of the invoices that it concerns.
pub async fn link(conn: &mut PgConnection, customer: CustomerId, touched: &Touched) -> sqlx::Result<Vec<String>> {
    adopt(conn, customer, touched).await?;
    let invoices = sqlx::query_scalar!(
        r#"SELECT stripe_invoice_id FROM invoices
           WHERE customer_id = $1 AND stripe_invoice_id IN (
               SELECT unnest($2::text[])
               UNION SELECT stripe_invoice_id FROM invoice_payments WHERE payment_intent = ANY($3)
               UNION SELECT stripe_invoice_id FROM invoice_payments WHERE charge = ANY($4)
               UNION SELECT stripe_invoice_id FROM charges WHERE payment_intent = ANY($3)
               UNION SELECT stripe_invoice_id FROM charges WHERE stripe_charge_id = ANY($4)
               UNION SELECT payment.stripe_invoice_id FROM invoice_payments payment
                   JOIN charges charge ON charge.payment_intent = payment.payment_intent WHERE charge.stripe_charge_id = ANY($4))
           ORDER BY 1"#,
        customer.0,
        &touched.invoices,
        &touched.payment_intents,
        &touched.charges,
    )
    .fetch_all(&mut *conn)
    .await?;
    if !invoices.is_empty() {
        settle_payments(conn, customer, &invoices).await?;
        settle_invoices(conn, customer, &invoices).await?;
    }
    Ok(invoices)
}

/// Gives payments and refunds that came before their parent the parent's customer.
async fn adopt(conn: &mut PgConnection, customer: CustomerId, touched: &Touched) -> sqlx::Result<()> {
    sqlx::query!(
        r#"UPDATE invoice_payments payment SET customer_id = $1
           WHERE payment.customer_id IS NULL AND payment.stripe_invoice_id = ANY($2)
             AND EXISTS (SELECT FROM invoices invoice WHERE invoice.stripe_invoice_id = payment.stripe_invoice_id AND invoice.customer_id = $1)"#,
        customer.0,
        &touched.invoices,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        r#"UPDATE refunds refund SET customer_id = $1
           WHERE refund.customer_id IS NULL AND (
               EXISTS (SELECT FROM charges charge WHERE charge.stripe_charge_id = refund.stripe_charge_id AND charge.customer_id = $1)
               OR EXISTS (SELECT FROM charges charge WHERE charge.payment_intent = refund.payment_intent AND charge.customer_id = $1)
               OR EXISTS (SELECT FROM invoice_payments payment WHERE payment.payment_intent = refund.payment_intent AND payment.customer_id = $1))"#,
        customer.0,
    )
    .execute(&mut *conn)
    .await?;
    // Older refunds name the charge alone; the invoice's payment, the intent alone.
    sqlx::query!(
        r#"UPDATE refunds refund SET payment_intent = charge.payment_intent
           FROM charges charge
           WHERE refund.payment_intent IS NULL AND charge.payment_intent IS NOT NULL AND charge.stripe_charge_id = refund.stripe_charge_id
             AND charge.stripe_charge_id = ANY($2) AND charge.customer_id = $1"#,
        customer.0,
        &touched.charges,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn settle_payments(conn: &mut PgConnection, customer: CustomerId, invoices: &[String]) -> sqlx::Result<()> {
    // One payment, told twice: by an invoice of an older API version and by Stripe's own InvoicePayment.
    sqlx::query!(
        r#"DELETE FROM invoice_payments told
           WHERE told.customer_id = $1 AND told.stripe_invoice_id = ANY($2) AND told.from_invoice
             AND EXISTS (SELECT FROM invoice_payments own WHERE own.stripe_invoice_id = told.stripe_invoice_id AND NOT own.from_invoice)"#,
        customer.0,
        invoices,
    )
    .execute(&mut *conn)
    .await?;
    // Of an intent's several attempts, the one that succeeded tells the method.
    sqlx::query!(
        r#"UPDATE invoice_payments payment SET method = (
               SELECT charge.method FROM charges charge
               WHERE charge.customer_id = $1 AND (charge.stripe_charge_id = payment.charge OR charge.payment_intent = payment.payment_intent)
               ORDER BY charge.status = 'succeeded' DESC, charge.created_at DESC, charge.stripe_charge_id LIMIT 1)
           WHERE payment.customer_id = $1 AND payment.stripe_invoice_id = ANY($2) AND payment.method IS DISTINCT FROM 'out_of_band'"#,
        customer.0,
        invoices,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A charge belongs to an invoice because it says so (older API versions) or because the invoice's payment says so.
async fn settle_invoices(conn: &mut PgConnection, customer: CustomerId, invoices: &[String]) -> sqlx::Result<()> {
    sqlx::query!(
        r#"UPDATE invoices invoice SET
               amount_refunded = (
                   SELECT coalesce(sum(charge.amount_refunded), 0)::bigint FROM charges charge
                   WHERE charge.customer_id = $1 AND (
                       charge.stripe_invoice_id = invoice.stripe_invoice_id
                       OR charge.stripe_charge_id IN (SELECT charge FROM invoice_payments WHERE stripe_invoice_id = invoice.stripe_invoice_id)
                       OR charge.payment_intent IN (SELECT payment_intent FROM invoice_payments WHERE stripe_invoice_id = invoice.stripe_invoice_id))),
               paid_out_of_band = invoice.paid_out_of_band OR EXISTS (
                   SELECT FROM invoice_payments payment
                   WHERE payment.stripe_invoice_id = invoice.stripe_invoice_id AND payment.method = 'out_of_band' AND payment.status = 'paid'),
               version = invoice.version + 1,
               updated_at = now()
           WHERE invoice.customer_id = $1 AND invoice.stripe_invoice_id = ANY($2)"#,
        customer.0,
        invoices,
    )
    .execute(conn)
    .await?;
    Ok(())
}
