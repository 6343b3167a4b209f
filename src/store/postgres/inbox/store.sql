-- Stores new events with their results, and the audit rows and domain events of those that changed
-- the mirror, in one round trip. Ordered by id, so that concurrent deliveries of the same events
-- wait instead of deadlocking. `IS TRUE` prevents a join, which would be a nested loop here (see
-- store::postgres::mirror::BEGIN); the planner uses a hash instead.
WITH incoming AS MATERIALIZED (
    SELECT *, jsonb_build_object('stripe_event_id', stripe_event_id, 'event_type', event_type, 'object_id', subject_id) AS data
    FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[], $9::uuid[], $10::text[],
        $11::timestamptz[], $12::text[], $13::text[], $14::integer[], $15::text[]
    ) AS incoming(
        stripe_event_id, event_type, status, payload, api_version, livemode, object_id, stripe_invoice_id, customer_id, awaits_customer,
        stripe_created_at, last_error, subject_id, attempts, changed
    )
), stored AS (
    INSERT INTO stripe_webhook_events (
        stripe_event_id, event_type, status, payload, api_version, livemode, object_id, stripe_invoice_id, customer_id, awaits_customer,
        stripe_created_at, last_error, attempts, created_at, processed_at)
    SELECT stripe_event_id, event_type, status, payload, api_version, livemode, object_id, stripe_invoice_id, customer_id, awaits_customer,
           stripe_created_at, last_error, attempts, $16::timestamptz, CASE WHEN attempts > 0 THEN $16::timestamptz END
    FROM incoming
    ORDER BY stripe_event_id COLLATE "C"
    ON CONFLICT (stripe_event_id) DO NOTHING
    RETURNING stripe_event_id
), audited AS (
    INSERT INTO billing_audit (event_type, actor, customer_id, data)
    SELECT 'webhook.applied', 'stripe', customer_id, data FROM incoming WHERE changed IS NOT NULL AND (stripe_event_id IN (SELECT stripe_event_id FROM stored)) IS TRUE
), published AS (
    INSERT INTO events (event_type, customer_id, data)
    SELECT changed, customer_id, data FROM incoming WHERE changed IS NOT NULL AND (stripe_event_id IN (SELECT stripe_event_id FROM stored)) IS TRUE
)
SELECT stripe_event_id FROM stored
