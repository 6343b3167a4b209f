-- Sums saturate at the largest bigint, so that no request fails. The caller holds the locks of
-- `ids::BEGIN_COUNTING`.
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
accepted AS (
    SELECT input.* FROM input JOIN fresh USING (key)
),
stored AS (
    INSERT INTO usage_events (customer_id, event_id, app_id, metric, quantity, occurred_at, properties)
    SELECT $1::uuid, event_id, app_id, metric, quantity, occurred_at, properties::jsonb FROM accepted
),
counted AS (
    INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of)
    SELECT $1::uuid, metric, usage_part_start($1::uuid, occurred_at) AS hour, app_id, least(sum(quantity), 9223372036854775807)::bigint, count(*), max(occurred_at)
    FROM accepted
    GROUP BY metric, hour, app_id
    ORDER BY metric, hour, app_id COLLATE "C"
    ON CONFLICT (customer_id, metric, hour, app_id) DO UPDATE SET
        quantity = least(usage_records.quantity::numeric + excluded.quantity, 9223372036854775807)::bigint,
        event_count = usage_records.event_count + excluded.event_count,
        as_of = greatest(usage_records.as_of, excluded.as_of),
        updated_at = now()
)
SELECT count(*) AS "fresh!" FROM fresh
