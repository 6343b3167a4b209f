-- Writes snapshots of different refunds, unless newer ones exist. The customer is NULL until the
-- charge arrives.
WITH incoming AS MATERIALIZED (
    SELECT json, jsonb_populate_record(NULL::refunds, json) AS row FROM jsonb_array_elements($1::jsonb) AS incoming(json)
)
INSERT INTO refunds AS kept (
    stripe_refund_id, customer_id, stripe_charge_id, payment_intent, currency, amount, status, reason, created_at,
    event_created_at, event_rank, event_progress, event_id
)
SELECT
    (row).stripe_refund_id, (row).customer_id, (row).stripe_charge_id, (row).payment_intent, (row).currency, (row).amount,
    (row).status, (row).reason, (row).created_at, (row).event_created_at, (row).event_rank, (row).event_progress,
    (row).event_id
FROM incoming
ON CONFLICT (stripe_refund_id) DO UPDATE SET
    customer_id = coalesce(excluded.customer_id, kept.customer_id), stripe_charge_id = excluded.stripe_charge_id,
    payment_intent = coalesce(excluded.payment_intent, kept.payment_intent), currency = excluded.currency,
    amount = excluded.amount, status = excluded.status, reason = excluded.reason, created_at = excluded.created_at,
    event_created_at = excluded.event_created_at, event_rank = excluded.event_rank, event_progress = excluded.event_progress,
    event_id = excluded.event_id
WHERE excluded.event_created_at > kept.event_created_at
   OR ($2 AND excluded.event_created_at = kept.event_created_at AND excluded.event_id <> kept.event_id)
RETURNING stripe_refund_id
