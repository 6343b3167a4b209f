-- Stores complete tax rates, and queues and returns the referenced ids that are unknown. Ordered by
-- id, so that concurrent transactions wait instead of deadlocking. Ids that Stripe does not have
-- are not requested again.
WITH given AS MATERIALIZED (
    SELECT DISTINCT ON (json ->> 'stripe_tax_rate_id' COLLATE "C") jsonb_populate_record(NULL::tax_rates, json) AS row
    FROM jsonb_array_elements($1::jsonb) AS given(json)
    ORDER BY json ->> 'stripe_tax_rate_id' COLLATE "C"
), stored AS (
    INSERT INTO tax_rates (stripe_tax_rate_id, display_name, percentage, inclusive, tax_type, country, state, jurisdiction)
    SELECT (row).stripe_tax_rate_id, (row).display_name, (row).percentage, (row).inclusive, (row).tax_type, (row).country, (row).state, (row).jurisdiction
    FROM given WHERE NOT EXISTS (SELECT FROM tax_rates WHERE stripe_tax_rate_id = (row).stripe_tax_rate_id OFFSET 0)
    ON CONFLICT (stripe_tax_rate_id) DO NOTHING
), unknown AS MATERIALIZED (
    SELECT object, object_id FROM unnest($2::text[], $3::text[]) AS named(object, object_id)
    WHERE NOT EXISTS (SELECT FROM given WHERE (row).stripe_tax_rate_id = object_id)
      AND NOT EXISTS (SELECT FROM tax_rates WHERE stripe_tax_rate_id = object_id OFFSET 0)
      AND NOT EXISTS (SELECT FROM prices WHERE stripe_price_id = object_id OFFSET 0)
      AND NOT EXISTS (SELECT FROM stripe_lookups queued WHERE queued.object_id = named.object_id COLLATE "C" AND missing OFFSET 0)
), queued AS (
    INSERT INTO stripe_lookups (object_id, object)
    SELECT object_id, object FROM unknown ORDER BY object_id COLLATE "C"
    ON CONFLICT (object_id) DO NOTHING
)
SELECT object_id AS "object_id!" FROM unknown
