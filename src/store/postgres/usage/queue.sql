WITH input AS (
    SELECT *
    FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::text[])
        AS t (event_id, app_id, metric, quantity, occurred_at, properties)
),
fresh AS (
    INSERT INTO usage_event_keys (customer_id, event_id)
    SELECT $1::uuid, event_id FROM input ORDER BY event_id
    ON CONFLICT DO NOTHING
    RETURNING event_id
),
queued AS (
    INSERT INTO usage_outbox (customer_id, event_id, app_id, metric, quantity, occurred_at, properties)
    SELECT $1::uuid, event_id, app_id, metric, quantity, occurred_at, properties::jsonb FROM input JOIN fresh USING (event_id)
)
SELECT count(*) AS "fresh!" FROM fresh
