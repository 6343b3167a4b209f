//! Computes what depends on several of a customer's objects: the customer of a payment or a refund,
//! a payment's method, and how much of an invoice was refunded.
//!
//! Plans are cached for a connection's life, including those made while the tables were empty. If
//! the planner could choose a join, it might read a whole table, and would still do so with a
//! million rows. Three techniques prevent that: a lookup is a subquery with `OFFSET 0`, which can't
//! become a join; an updated table is accessed by an array of keys; and `coalesce` hides a
//! condition whose index would match too many rows.

use super::refunds;
use crate::domain::{identity::CustomerId, mirror::snapshot::Snapshot};
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// The id of a changed object: dependent rows are recomputed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference<'a> {
    invoice: Option<&'a str>,
    charge: Option<&'a str>,
    payment_intent: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// References of a snapshot.
    pub fn of(snapshot: &'a Snapshot) -> Reference<'a> {
        match snapshot {
            Snapshot::Invoice(invoice) => Reference { invoice: Some(&invoice.id), ..Reference::default() },
            Snapshot::Payment(payment) => Reference {
                invoice: Some(&payment.invoice),
                charge: payment.charge.as_deref(),
                payment_intent: payment.payment_intent.as_deref(),
            },
            Snapshot::Charge(charge) => {
                Reference { invoice: charge.invoice.as_deref(), charge: Some(&charge.id), payment_intent: charge.payment_intent.as_deref() }
            }
            Snapshot::Refund(refund) => {
                Reference { invoice: None, charge: refund.charge.as_deref(), payment_intent: refund.payment_intent.as_deref() }
            }
            Snapshot::CreditNote(credit_note) => Reference { invoice: Some(&credit_note.invoice), ..Reference::default() },
            Snapshot::Subscription(_) | Snapshot::Customer(_) | Snapshot::Alert(_) => Reference::default(),
        }
    }

    fn is_empty(&self) -> bool {
        self.invoice.is_none() && self.charge.is_none() && self.payment_intent.is_none()
    }
}

/// Links the customers' objects around the changed ones. Each reference has a number of the
/// caller's; returns the Stripe ids of the invoices that each number affects, in order. `written`:
/// the invoices written by this batch.
pub async fn link(
    conn: &mut PgConnection,
    touched: &[(usize, CustomerId, Reference<'_>)],
    written: &[String],
) -> sqlx::Result<HashMap<usize, Vec<String>>> {
    let touched: Vec<_> = touched.iter().filter(|(_, _, reference)| !reference.is_empty()).collect();
    if touched.is_empty() {
        return Ok(HashMap::new());
    }
    let customers: Vec<Uuid> = touched.iter().map(|(_, customer, _)| customer.0).collect();
    let references = touched.iter().map(|(_, _, reference)| reference);
    let invoices: Vec<Option<&str>> = references.clone().map(|reference| reference.invoice).collect();
    let charges: Vec<Option<&str>> = references.clone().map(|reference| reference.charge).collect();
    let payment_intents: Vec<Option<&str>> = references.map(|reference| reference.payment_intent).collect();
    let rows = sqlx::query!(
        r#"WITH touched AS MATERIALIZED (
               SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[]) AS touched(n, customer_id, invoice, charge, payment_intent)
           ), named AS (
               SELECT n, customer_id, invoice FROM touched WHERE invoice IS NOT NULL
               UNION SELECT n, touched.customer_id, stripe_invoice_id FROM touched CROSS JOIN LATERAL (
                   SELECT stripe_invoice_id FROM invoice_payments payment WHERE payment.payment_intent = touched.payment_intent
                   UNION ALL SELECT stripe_invoice_id FROM invoice_payments payment WHERE payment.charge = touched.charge
                   UNION ALL SELECT stripe_invoice_id FROM charges WHERE charges.payment_intent = touched.payment_intent
                   UNION ALL SELECT stripe_invoice_id FROM charges WHERE stripe_charge_id = touched.charge
                   UNION ALL SELECT paid.stripe_invoice_id FROM charges CROSS JOIN LATERAL (
                       SELECT stripe_invoice_id FROM invoice_payments payment WHERE payment.payment_intent = charges.payment_intent OFFSET 0
                   ) AS paid WHERE stripe_charge_id = touched.charge
                   OFFSET 0
               ) AS through
           )
           SELECT n AS "n?", stripe_invoice_id AS "invoice?",
                  EXISTS (SELECT FROM invoice_payments payment WHERE payment.stripe_invoice_id = found.stripe_invoice_id)
                  OR EXISTS (SELECT FROM charges WHERE charges.stripe_invoice_id = found.stripe_invoice_id) AS "paid!",
                  amount_refunded > 0
                  OR EXISTS (
                      SELECT FROM charges charge WHERE charge.stripe_invoice_id = found.stripe_invoice_id AND (
                          charge.amount_refunded > 0
                          OR EXISTS (SELECT FROM refunds WHERE refunds.stripe_charge_id = charge.stripe_charge_id OFFSET 0))
                      OFFSET 0)
                  OR EXISTS (
                      SELECT FROM invoice_payments payment WHERE payment.stripe_invoice_id = found.stripe_invoice_id AND (
                          EXISTS (SELECT FROM refunds WHERE refunds.payment_intent = payment.payment_intent OFFSET 0)
                          OR EXISTS (SELECT FROM refunds WHERE refunds.stripe_charge_id = payment.charge OFFSET 0)
                          OR EXISTS (SELECT FROM charges charge WHERE charge.stripe_charge_id = payment.charge AND charge.amount_refunded > 0 OFFSET 0)
                          OR EXISTS (
                              SELECT FROM charges charge WHERE charge.payment_intent = payment.payment_intent AND (
                                  charge.amount_refunded > 0
                                  OR EXISTS (SELECT FROM refunds WHERE refunds.stripe_charge_id = charge.stripe_charge_id OFFSET 0))
                              OFFSET 0))
                      OFFSET 0) AS "refunded!"
           FROM named CROSS JOIN LATERAL (
               SELECT stripe_invoice_id, customer_id, amount_refunded FROM invoices WHERE stripe_invoice_id = invoice OFFSET 0
           ) AS found
           WHERE found.customer_id = named.customer_id
           UNION ALL
           SELECT NULL, NULL, true, false WHERE EXISTS (SELECT FROM refunds WHERE customer_id IS NULL)
               OR EXISTS (SELECT FROM touched CROSS JOIN LATERAL (
                   SELECT FROM refunds WHERE stripe_charge_id = touched.charge AND coalesce(refunds.payment_intent, '') = '' OFFSET 0) AS incomplete)
           ORDER BY 1, 2"#,
        &touched.iter().map(|(n, _, _)| i64::try_from(*n).unwrap_or(i64::MAX)).collect::<Vec<_>>(),
        &customers,
        &invoices as &[Option<&str>],
        &charges as &[Option<&str>],
        &payment_intents as &[Option<&str>],
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut concerned: HashMap<usize, Vec<String>> = HashMap::new();
    let (mut unsettled, mut payments, mut orphans, mut refunded) = (BTreeSet::new(), false, false, BTreeSet::new());
    for row in rows {
        // The row without an invoice reports incomplete refunds.
        let (Some(n), Some(invoice)) = (row.n, row.invoice) else {
            orphans = true;
            continue;
        };
        // A newly written invoice needs no further version, unless a payment arrived.
        if row.paid || !written.contains(&invoice) {
            unsettled.insert(invoice.clone());
        }
        payments |= row.paid;
        if row.refunded {
            refunded.insert(invoice.clone());
        }
        concerned.entry(usize::try_from(n).unwrap_or(usize::MAX)).or_default().push(invoice);
    }
    if payments || orphans {
        adopt(conn, &customers, &invoices, &charges).await?;
    }
    let unsettled: Vec<&str> = unsettled.iter().map(String::as_str).collect();
    if payments {
        settle_payments(conn, &unsettled).await?;
    }
    if !unsettled.is_empty() {
        let refunded: Vec<&str> = refunded.iter().map(String::as_str).collect();
        settle_invoices(conn, &unsettled, written, &refunded).await?;
    }
    Ok(concerned)
}

/// Gives payments and refunds that arrived before their parent the parent's customer.
async fn adopt(conn: &mut PgConnection, customers: &[Uuid], invoices: &[Option<&str>], charges: &[Option<&str>]) -> sqlx::Result<()> {
    sqlx::query!(
        r#"WITH adopted AS MATERIALIZED (
               SELECT stripe_payment_id, (
                   SELECT customer_id FROM invoices WHERE invoices.stripe_invoice_id = payment.stripe_invoice_id) AS customer_id
               FROM invoice_payments payment WHERE customer_id IS NULL AND stripe_invoice_id = ANY($2)
           )
           UPDATE invoice_payments payment SET customer_id = adopted.customer_id FROM adopted
           WHERE payment.stripe_payment_id = ANY (ARRAY(SELECT stripe_payment_id FROM adopted))
             AND payment.stripe_payment_id = adopted.stripe_payment_id AND adopted.customer_id = ANY($1)"#,
        customers,
        invoices as &[Option<&str>],
    )
    .execute(&mut *conn)
    .await?;
    // Older refunds only reference the charge; the invoice's payment only references the intent.
    sqlx::query!(
        r#"WITH parent AS MATERIALIZED (
               SELECT stripe_refund_id, charge.payment_intent, coalesce(
                   orphan.customer_id,
                   charge.customer_id,
                   (SELECT customer_id FROM charges sibling WHERE sibling.payment_intent = orphan.payment_intent LIMIT 1),
                   (SELECT customer_id FROM invoice_payments payment
                    WHERE payment.payment_intent = orphan.payment_intent AND payment.customer_id IS NOT NULL LIMIT 1)) AS customer_id
               FROM (
                   SELECT * FROM refunds WHERE customer_id IS NULL
                   UNION ALL SELECT * FROM refunds WHERE customer_id IS NOT NULL AND coalesce(payment_intent, '') = '' AND stripe_charge_id = ANY($2)
               ) AS orphan LEFT JOIN LATERAL (
                   SELECT customer_id, payment_intent FROM charges WHERE charges.stripe_charge_id = orphan.stripe_charge_id OFFSET 0
               ) AS charge ON true
           )
           UPDATE refunds refund SET customer_id = parent.customer_id, payment_intent = coalesce(refund.payment_intent, parent.payment_intent)
           FROM parent
           WHERE refund.stripe_refund_id = ANY (ARRAY(SELECT stripe_refund_id FROM parent))
             AND parent.stripe_refund_id = refund.stripe_refund_id AND parent.customer_id = ANY($1)
             AND (refund.customer_id IS NULL OR parent.payment_intent IS NOT NULL)"#,
        customers,
        charges as &[Option<&str>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn settle_payments(conn: &mut PgConnection, invoices: &[&str]) -> sqlx::Result<()> {
    // One payment in two forms: from an invoice of an older API version, and as Stripe's own
    // InvoicePayment.
    sqlx::query!(
        r#"DELETE FROM invoice_payments incoming
           WHERE incoming.stripe_invoice_id = ANY($1) AND incoming.from_invoice AND incoming.customer_id IS NOT NULL
             AND EXISTS (
                 SELECT FROM invoice_payments own WHERE own.stripe_invoice_id = incoming.stripe_invoice_id AND NOT own.from_invoice OFFSET 0)"#,
        invoices as &[&str],
    )
    .execute(&mut *conn)
    .await?;
    // Of an intent's several attempts, the successful one has the method.
    sqlx::query!(
        r#"WITH made AS MATERIALIZED (
               SELECT stripe_payment_id, (
                   SELECT charge.method FROM charges charge
                   WHERE charge.customer_id = payment.customer_id
                     AND (charge.stripe_charge_id = payment.charge OR charge.payment_intent = payment.payment_intent)
                   ORDER BY charge.status = 'succeeded' DESC, charge.created_at DESC, charge.stripe_charge_id LIMIT 1) AS method
               FROM invoice_payments payment
               WHERE stripe_invoice_id = ANY($1) AND customer_id IS NOT NULL AND method IS DISTINCT FROM 'out_of_band'
           )
           UPDATE invoice_payments payment SET method = made.method FROM made
           WHERE payment.stripe_payment_id = ANY (ARRAY(SELECT stripe_payment_id FROM made))
             AND made.stripe_payment_id = payment.stripe_payment_id AND made.method IS DISTINCT FROM payment.method"#,
        invoices as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An invoice's refunded amount depends on its payments' refunds (`refunded`: where a refund
/// changed), so it also affects invoices paid by the same payment. A newly written invoice already
/// has its new version.
async fn settle_invoices(conn: &mut PgConnection, invoices: &[&str], written: &[String], refunded: &[&str]) -> sqlx::Result<()> {
    let shares = if refunded.is_empty() { refunds::Shares::default() } else { refunds::shares(&mut *conn, refunded).await? };
    let (of, amounts): (Vec<&str>, Vec<i64>) = shares.refunded.iter().map(|(invoice, amount)| (invoice.as_str(), *amount)).unzip();
    sqlx::query!(
        r#"WITH given AS MATERIALIZED (
               SELECT * FROM unnest($3::text[], $4::bigint[]) AS given(stripe_invoice_id, amount)
           ), now_is AS MATERIALIZED (
               SELECT id,
                   coalesce((SELECT amount FROM given WHERE given.stripe_invoice_id = invoice.stripe_invoice_id), 0) AS amount_refunded,
                   paid_out_of_band OR EXISTS (
                       SELECT FROM invoice_payments payment
                       WHERE payment.stripe_invoice_id = invoice.stripe_invoice_id AND payment.method = 'out_of_band' AND payment.status = 'paid') AS paid_out_of_band
               FROM invoices invoice
               WHERE stripe_invoice_id = ANY($1 || $3)
           )
           UPDATE invoices invoice SET
               amount_refunded = now_is.amount_refunded, paid_out_of_band = now_is.paid_out_of_band, version = invoice.version + 1, updated_at = now()
           FROM now_is
           WHERE invoice.id = ANY (ARRAY(SELECT id FROM now_is)) AND invoice.id = now_is.id
             AND ((invoice.stripe_invoice_id = ANY($1) AND invoice.stripe_invoice_id <> ALL($2))
                  OR (invoice.amount_refunded, invoice.paid_out_of_band) IS DISTINCT FROM (now_is.amount_refunded, now_is.paid_out_of_band))"#,
        invoices as &[&str],
        written,
        &of as &[&str],
        &amounts,
    )
    .execute(conn)
    .await?;
    Ok(())
}
