-- A new metric had to be added to the lists of names in six constraints. Now the names are rows of
-- one table, and a new metric is one INSERT. Servers of before this migration are not affected:
-- they write the same names.
CREATE TABLE metrics (
    -- As senders write it. Servers define the rest of a metric in src/domain/metric.rs.
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]*$')
);
INSERT INTO metrics (name) VALUES ('impressions'), ('api_calls'), ('data_transfer_bytes');

-- The table of hourly sums refers to `metrics` in place of this one, whose triggers write it: that
-- is one check an hour, not one for each app.
ALTER TABLE usage_records DROP CONSTRAINT usage_records_metric_check;
ALTER TABLE plan_prices DROP CONSTRAINT plan_prices_metric_check, ADD FOREIGN KEY (metric) REFERENCES metrics;
ALTER TABLE usage_alerts DROP CONSTRAINT usage_alerts_metric_check, ADD FOREIGN KEY (metric) REFERENCES metrics;
ALTER TABLE usage_refusals DROP CONSTRAINT usage_refusals_metric_check, ADD FOREIGN KEY (metric) REFERENCES metrics;
ALTER TABLE billed_usage DROP CONSTRAINT billed_usage_metric_check, ADD FOREIGN KEY (metric) REFERENCES metrics;
ALTER TABLE usage_meters DROP CONSTRAINT usage_meters_metric_check, ADD FOREIGN KEY (metric) REFERENCES metrics;
