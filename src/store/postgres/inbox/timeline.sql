-- The invoice's own events, and those of its charges, their refunds and its credit notes, however
-- they are linked to it.
WITH invoice AS (
    SELECT stripe_invoice_id, currency AS invoice_currency,
        -- NULL for a payment outside Stripe: Stripe may not count it as paid.
        CASE WHEN amount_paid > 0 OR amount_due <= 0 THEN amount_paid END AS paid
    FROM invoices WHERE customer_id = $1 AND stripe_invoice_id = $2
), charge AS (
    SELECT charges.stripe_charge_id, charges.payment_intent FROM charges, invoice
    WHERE charges.customer_id = $1 AND (
        charges.stripe_invoice_id = invoice.stripe_invoice_id
        OR charges.stripe_charge_id IN (SELECT charge FROM invoice_payments p WHERE p.stripe_invoice_id = invoice.stripe_invoice_id)
        OR charges.payment_intent IN (SELECT payment_intent FROM invoice_payments p WHERE p.stripe_invoice_id = invoice.stripe_invoice_id))
), refund AS (
    SELECT refunds.stripe_refund_id, refunds.amount, refunds.currency FROM refunds
    WHERE refunds.customer_id = $1 AND (
        refunds.stripe_charge_id IN (SELECT stripe_charge_id FROM charge)
        OR refunds.payment_intent IN (
            SELECT payment_intent FROM invoice_payments p JOIN invoice USING (stripe_invoice_id)
            UNION ALL SELECT payment_intent FROM charge))
)
SELECT event.event_type AS "event_type!", event.object_id AS "object_id!", event.stripe_created_at AS "at!",
    CASE WHEN event.event_type IN ('invoice.paid', 'invoice.payment_succeeded') THEN invoice.paid END AS amount,
    invoice.invoice_currency AS currency, NULL::text AS number
FROM invoice JOIN stripe_webhook_events event ON event.object_id = invoice.stripe_invoice_id
WHERE event.status = 'applied' AND event.stripe_created_at IS NOT NULL
UNION ALL
SELECT event.event_type, event.object_id, event.stripe_created_at, NULL, NULL, NULL
FROM charge JOIN stripe_webhook_events event ON event.object_id = charge.stripe_charge_id
WHERE event.status = 'applied' AND event.stripe_created_at IS NOT NULL
UNION ALL
SELECT event.event_type, event.object_id, event.stripe_created_at, refund.amount, refund.currency, NULL
FROM refund JOIN stripe_webhook_events event ON event.object_id = refund.stripe_refund_id
WHERE event.status = 'applied' AND event.stripe_created_at IS NOT NULL
UNION ALL
SELECT event.event_type, event.object_id, event.stripe_created_at, credit_note.amount, credit_note.currency, credit_note.number
FROM invoice JOIN credit_notes credit_note USING (stripe_invoice_id) JOIN stripe_webhook_events event ON event.object_id = credit_note.stripe_credit_note_id
WHERE credit_note.customer_id = $1 AND event.status = 'applied' AND event.stripe_created_at IS NOT NULL
ORDER BY 3, 1, 2
