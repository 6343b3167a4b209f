-- Shared: whoever counts hours anew from their raw events holds it alone, so that it sees all of this or nothing.
WITH counting AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(hashtext('usage_records'))
),
input AS (
    SELECT t.*
    FROM counting, unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::text[])
        AS t (event_id, app_id, metric, quantity, occurred_at, properties)
),
fresh AS (
    INSERT INTO usage_event_keys (customer_id, event_id)
    SELECT $1::uuid, event_id FROM input ORDER BY event_id
    ON CONFLICT DO NOTHING
    RETURNING event_id
),
accepted AS (
    SELECT input.* FROM input JOIN fresh USING (event_id)
),
stored AS (
    INSERT INTO usage_events (customer_id, event_id, app_id, metric, quantity, occurred_at, properties)
    SELECT $1::uuid, event_id, app_id, metric, quantity, occurred_at, properties::jsonb FROM accepted
),
counted AS (
    INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of)
    SELECT $1::uuid, metric, date_trunc('hour', occurred_at, 'UTC') AS hour, app_id, sum(quantity), count(*), max(occurred_at)
    FROM accepted
    GROUP BY metric, hour, app_id
    ORDER BY metric, hour, app_id
    ON CONFLICT (customer_id, metric, hour, app_id) DO UPDATE SET
        quantity = usage_records.quantity + excluded.quantity,
        event_count = usage_records.event_count + excluded.event_count,
        as_of = greatest(usage_records.as_of, excluded.as_of),
        updated_at = now()
)
SELECT count(*) AS "fresh!" FROM fresh
