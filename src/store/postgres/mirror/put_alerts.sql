-- Writes snapshots of different triggered alerts, unless newer ones exist.
WITH incoming AS MATERIALIZED (
    SELECT jsonb_populate_record(NULL::stripe_alerts, json) AS row FROM jsonb_array_elements($1::jsonb) AS incoming(json)
)
INSERT INTO stripe_alerts AS kept (
    id, customer_id, stripe_alert_id, title, meter_event_name, threshold, value, triggered_at, event_created_at, event_rank,
    event_progress, event_id
)
SELECT
    (row).id, (row).customer_id, (row).stripe_alert_id, (row).title, (row).meter_event_name, (row).threshold, (row).value,
    (row).triggered_at, (row).event_created_at, (row).event_rank, (row).event_progress, (row).event_id
FROM incoming
ON CONFLICT (id) DO UPDATE SET
    customer_id = excluded.customer_id, stripe_alert_id = excluded.stripe_alert_id, title = excluded.title,
    meter_event_name = excluded.meter_event_name, threshold = excluded.threshold, value = excluded.value,
    triggered_at = excluded.triggered_at, event_created_at = excluded.event_created_at, event_rank = excluded.event_rank,
    event_progress = excluded.event_progress, event_id = excluded.event_id
WHERE excluded.event_created_at > kept.event_created_at
   OR ($2 AND excluded.event_created_at = kept.event_created_at AND excluded.event_id <> kept.event_id)
RETURNING id
