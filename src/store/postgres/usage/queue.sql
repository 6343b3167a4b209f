-- The caller holds the lock of `ids::BEGIN`.
WITH input AS (
    SELECT *
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::text[])
        AS t (key, event_id, app_id, metric, quantity, occurred_at, properties)
),
fresh AS (
    INSERT INTO usage_ids (key)
    SELECT key FROM input ORDER BY key
    ON CONFLICT DO NOTHING
    RETURNING key
),
queued AS (
    INSERT INTO usage_outbox (customer_id, event_id, app_id, metric, quantity, occurred_at, properties)
    SELECT $1::uuid, event_id, app_id, metric, quantity, occurred_at, properties::jsonb FROM input JOIN fresh USING (key)
)
SELECT count(*) AS "fresh!" FROM fresh
