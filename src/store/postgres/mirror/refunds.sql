-- Payments, charges and refunds around these invoices: all of the payment intents and charges that
-- paid them, and all other payments of those. `near`: invoices that share one with these; their
-- refunds depend on each other.
WITH asked AS MATERIALIZED (
    SELECT unnest($1::text[]) AS invoice
), near AS MATERIALIZED (
    SELECT invoice FROM asked
    UNION SELECT other.stripe_invoice_id FROM asked CROSS JOIN LATERAL (
        SELECT payment_intent, charge FROM invoice_payments payment WHERE payment.stripe_invoice_id = asked.invoice OFFSET 0
    ) AS own CROSS JOIN LATERAL (
        SELECT stripe_invoice_id FROM invoice_payments payment WHERE payment.payment_intent = own.payment_intent
        UNION ALL SELECT stripe_invoice_id FROM invoice_payments payment WHERE payment.charge = own.charge
        OFFSET 0
    ) AS other
), paid AS MATERIALIZED (
    SELECT DISTINCT every.stripe_payment_id, every.customer_id, every.stripe_invoice_id, every.payment_intent, every.charge, every.amount, every.status, every.at
    FROM near CROSS JOIN LATERAL (
        SELECT stripe_payment_id, payment_intent, charge FROM invoice_payments payment WHERE payment.stripe_invoice_id = near.invoice OFFSET 0
    ) AS own CROSS JOIN LATERAL (
        SELECT * FROM invoice_payments payment WHERE payment.stripe_payment_id = own.stripe_payment_id
        UNION ALL SELECT * FROM invoice_payments payment WHERE payment.payment_intent = own.payment_intent
        UNION ALL SELECT * FROM invoice_payments payment WHERE payment.charge = own.charge
        OFFSET 0
    ) AS every
), charged AS MATERIALIZED (
    SELECT charge.stripe_charge_id, charge.customer_id, charge.stripe_invoice_id, charge.payment_intent, charge.amount, charge.amount_refunded,
           charge.status, charge.created_at, charge.event_created_at, charge.event_id
    FROM near CROSS JOIN LATERAL (SELECT * FROM charges WHERE charges.stripe_invoice_id = near.invoice OFFSET 0) AS charge
    UNION
    SELECT charge.stripe_charge_id, charge.customer_id, charge.stripe_invoice_id, charge.payment_intent, charge.amount, charge.amount_refunded,
           charge.status, charge.created_at, charge.event_created_at, charge.event_id
    FROM paid CROSS JOIN LATERAL (
        SELECT * FROM charges WHERE charges.payment_intent = paid.payment_intent
        UNION ALL SELECT * FROM charges WHERE charges.stripe_charge_id = paid.charge
        OFFSET 0
    ) AS charge
), given AS MATERIALIZED (
    SELECT refund.stripe_refund_id, refund.customer_id, refund.stripe_charge_id, refund.payment_intent, refund.amount, refund.status,
           refund.created_at, refund.event_created_at
    FROM (
        SELECT payment_intent, charge FROM paid UNION SELECT payment_intent, stripe_charge_id FROM charged
    ) AS by CROSS JOIN LATERAL (
        SELECT * FROM refunds WHERE refunds.payment_intent = by.payment_intent
        UNION ALL SELECT * FROM refunds WHERE refunds.stripe_charge_id = by.charge
        OFFSET 0
    ) AS refund
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT 'near' AS "what!", invoice AS "id!", NULL::uuid AS customer_id, NULL::text AS invoice, NULL::text AS payment_intent, NULL::text AS charge,
       0::bigint AS "amount!", 0::bigint AS "refunded!", ''::text AS "status!", NULL::timestamptz AS at, NULL::timestamptz AS said_at,
       coalesce((SELECT credit_notes_post_payment FROM invoices WHERE invoices.stripe_invoice_id = near.invoice), 0) AS "credited!"
FROM near
UNION ALL SELECT 'payment', stripe_payment_id, customer_id, stripe_invoice_id, payment_intent, charge, amount, 0, status, at, NULL,
       coalesce((SELECT credit_notes_post_payment FROM invoices WHERE invoices.stripe_invoice_id = paid.stripe_invoice_id), 0)
FROM paid WHERE customer_id IS NOT NULL
UNION ALL SELECT 'charge', stripe_charge_id, customer_id, stripe_invoice_id, payment_intent, NULL, amount, amount_refunded, status, created_at,
       -- A fetched charge includes everything of its second.
       event_created_at + CASE WHEN starts_with(event_id, 'fetched_') THEN interval '1 second' ELSE interval '0' END,
       coalesce((SELECT credit_notes_post_payment FROM invoices WHERE invoices.stripe_invoice_id = charged.stripe_invoice_id), 0)
FROM charged
UNION ALL SELECT 'refund', stripe_refund_id, customer_id, NULL, payment_intent, stripe_charge_id, amount, 0, status, created_at, event_created_at, 0
FROM given WHERE customer_id IS NOT NULL
