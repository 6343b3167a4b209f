-- Writes snapshots of different invoice payments, unless newer ones exist. The customer is NULL
-- until the invoice arrives.
WITH incoming AS MATERIALIZED (
    SELECT json, jsonb_populate_record(NULL::invoice_payments, json) AS row FROM jsonb_array_elements($1::jsonb) AS incoming(json)
)
INSERT INTO invoice_payments AS kept (
    stripe_payment_id, stripe_invoice_id, customer_id, from_invoice, payment_intent, charge, amount, status, method, at,
    event_created_at, event_rank, event_progress, event_id
)
SELECT
    (row).stripe_payment_id, (row).stripe_invoice_id, (row).customer_id, (row).from_invoice, (row).payment_intent,
    (row).charge, (row).amount, (row).status, (row).method, (row).at, (row).event_created_at, (row).event_rank,
    (row).event_progress, (row).event_id
FROM incoming
ON CONFLICT (stripe_payment_id) DO UPDATE SET
    stripe_invoice_id = excluded.stripe_invoice_id, customer_id = coalesce(excluded.customer_id, kept.customer_id),
    payment_intent = excluded.payment_intent, charge = excluded.charge, amount = excluded.amount, status = excluded.status,
    method = excluded.method, at = excluded.at, event_created_at = excluded.event_created_at,
    event_rank = excluded.event_rank, event_progress = excluded.event_progress, event_id = excluded.event_id
WHERE excluded.event_created_at > kept.event_created_at
   OR ($2 AND excluded.event_created_at = kept.event_created_at AND excluded.event_id <> kept.event_id)
RETURNING stripe_payment_id
