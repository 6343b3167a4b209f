-- Stores the results of attempts to apply events, in one round trip: new events (without an `id`)
-- are added, stored ones are updated. Every event that changed the mirror gets its audit row and
-- its domain event here, whether this was its first delivery, a retry or a replay.
--
-- New events in the order of their ids, so that concurrent deliveries of the same events wait
-- instead of deadlocking. What an earlier attempt found out about a stored event stays: a replay of
-- something that is mirrored already changes nothing, and so finds less. `IS TRUE` keeps the
-- planner from joining, since its joins are loops here (see store::postgres::mirror::BEGIN): it
-- looks them up in a hash.
WITH given AS MATERIALIZED (
    SELECT *, jsonb_build_object('stripe_event_id', stripe_event_id, 'event_type', event_type, 'object_id', subject_id) AS data
    FROM unnest(
        $1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::text[], $10::uuid[],
        $11::text[], $12::boolean[], $13::timestamptz[], $14::text[], $15::text[], $16::integer[], $17::text[]
    ) AS given(
        id, stripe_event_id, event_type, status, payload, api_version, livemode, object_id, stripe_invoice_id, customer_id,
        awaits_customer, awaits_fetch, stripe_created_at, last_error, subject_id, attempts, changed
    )
), added AS (
    INSERT INTO stripe_webhook_events (
        stripe_event_id, event_type, status, payload, api_version, livemode, object_id, stripe_invoice_id, customer_id, awaits_customer,
        awaits_fetch, stripe_created_at, last_error, attempts, created_at, processed_at)
    SELECT stripe_event_id, event_type, status, payload, api_version, livemode, object_id, stripe_invoice_id, customer_id, awaits_customer,
           awaits_fetch, stripe_created_at, last_error, attempts, $18::timestamptz, CASE WHEN attempts > 0 THEN $18::timestamptz END
    FROM given WHERE id IS NULL
    ORDER BY stripe_event_id COLLATE "C"
    ON CONFLICT (stripe_event_id) DO NOTHING
    RETURNING stripe_event_id
), updated AS (
    UPDATE stripe_webhook_events AS kept SET
        status = given.status, last_error = given.last_error, customer_id = coalesce(given.customer_id, kept.customer_id),
        stripe_invoice_id = coalesce(given.stripe_invoice_id, kept.stripe_invoice_id), awaits_customer = given.awaits_customer,
        awaits_fetch = given.awaits_fetch, attempts = kept.attempts + given.attempts,
        processed_at = CASE WHEN given.attempts > 0 THEN $18::timestamptz ELSE kept.processed_at END
    FROM given WHERE kept.id = given.id
    RETURNING kept.stripe_event_id
), recorded AS MATERIALIZED (
    SELECT stripe_event_id FROM added UNION ALL SELECT stripe_event_id FROM updated
), audited AS (
    INSERT INTO billing_audit (event_type, actor, customer_id, data)
    SELECT 'webhook.applied', 'stripe', customer_id, data FROM given
    WHERE changed IS NOT NULL AND (stripe_event_id IN (SELECT stripe_event_id FROM recorded)) IS TRUE
), published AS (
    INSERT INTO events (event_type, customer_id, data)
    SELECT changed, customer_id, data FROM given
    WHERE changed IS NOT NULL AND (stripe_event_id IN (SELECT stripe_event_id FROM recorded)) IS TRUE
)
SELECT stripe_event_id AS "stripe_event_id!" FROM recorded
