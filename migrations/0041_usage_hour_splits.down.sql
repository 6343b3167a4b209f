-- Merges split hours.
CREATE TEMPORARY TABLE whole ON COMMIT DROP AS
SELECT customer_id, metric, date_trunc('hour', hour, 'UTC') AS hour, app_id, sum(quantity)::bigint AS quantity,
       sum(event_count)::bigint AS event_count, max(as_of) AS as_of
FROM usage_records record
WHERE EXISTS (SELECT FROM usage_hour_splits split
              WHERE split.customer_id = record.customer_id AND date_trunc('hour', split.at, 'UTC') = date_trunc('hour', record.hour, 'UTC'))
GROUP BY 1, 2, 3, 4;
DELETE FROM usage_records record USING whole
WHERE record.customer_id = whole.customer_id AND record.metric = whole.metric AND record.app_id = whole.app_id
  AND record.hour >= whole.hour AND record.hour < whole.hour + interval '1 hour';
INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of) SELECT * FROM whole;
DELETE FROM usage_customer_hours WHERE hour <> date_trunc('hour', hour, 'UTC');
DROP FUNCTION usage_part_start;
DROP TABLE usage_hour_splits;
