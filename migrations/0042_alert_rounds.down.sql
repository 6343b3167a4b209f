DROP TABLE usage_refusals;
-- Of several firings of a threshold, only the last one stays; older servers allow one.
DELETE FROM usage_alerts AS earlier USING usage_alerts AS later
WHERE (later.customer_id, later.period_start, later.metric, later.kind, later.threshold)
    = (earlier.customer_id, earlier.period_start, earlier.metric, earlier.kind, earlier.threshold) AND later.round > earlier.round;
ALTER TABLE usage_alerts
    DROP CONSTRAINT usage_alerts_once,
    DROP COLUMN round,
    DROP COLUMN rearmed_at,
    DROP COLUMN crossed_at,
    ADD CONSTRAINT usage_alerts_once UNIQUE (customer_id, period_start, metric, kind, threshold);
