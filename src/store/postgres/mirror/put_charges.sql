-- Writes snapshots of different charges, unless newer ones exist.
WITH incoming AS MATERIALIZED (
    SELECT json, jsonb_populate_record(NULL::charges, json) AS row FROM jsonb_array_elements($1::jsonb) AS incoming(json)
)
INSERT INTO charges AS kept (
    stripe_charge_id, customer_id, stripe_invoice_id, payment_intent, currency, amount, amount_refunded, status, method,
    created_at, event_created_at, event_rank, event_progress, event_id
)
SELECT
    (row).stripe_charge_id, (row).customer_id, (row).stripe_invoice_id, (row).payment_intent, (row).currency, (row).amount,
    (row).amount_refunded, (row).status, (row).method, (row).created_at, (row).event_created_at, (row).event_rank,
    (row).event_progress, (row).event_id
FROM incoming
ON CONFLICT (stripe_charge_id) DO UPDATE SET
    customer_id = excluded.customer_id, stripe_invoice_id = excluded.stripe_invoice_id,
    payment_intent = excluded.payment_intent, currency = excluded.currency, amount = excluded.amount,
    amount_refunded = excluded.amount_refunded, status = excluded.status, method = excluded.method,
    created_at = excluded.created_at, event_created_at = excluded.event_created_at, event_rank = excluded.event_rank,
    event_progress = excluded.event_progress, event_id = excluded.event_id
WHERE excluded.event_created_at > kept.event_created_at
   OR ($2 AND excluded.event_created_at = kept.event_created_at AND excluded.event_id <> kept.event_id)
RETURNING stripe_charge_id
