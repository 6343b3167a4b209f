-- A new metric had to be added to the lists of names in six constraints. Now the names are rows of
-- one table, and a new metric is one INSERT. Older servers write the same names.
CREATE TABLE metrics (
    -- As in usage events. Servers define the rest of a metric in src/domain/metric.rs.
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]*$')
);
INSERT INTO metrics (name) VALUES ('impressions'), ('api_calls'), ('data_transfer_bytes');

-- This table's triggers write the table of hourly sums, which refers to `metrics`: one check per
-- hour instead of one per app.
ALTER TABLE usage_records DROP CONSTRAINT usage_records_metric_check;
ALTER TABLE plan_prices DROP CONSTRAINT plan_prices_metric_check, ADD FOREIGN KEY (metric) REFERENCES metrics;
ALTER TABLE usage_alerts DROP CONSTRAINT usage_alerts_metric_check, ADD FOREIGN KEY (metric) REFERENCES metrics;
ALTER TABLE usage_refusals DROP CONSTRAINT usage_refusals_metric_check, ADD FOREIGN KEY (metric) REFERENCES metrics;
ALTER TABLE billed_usage DROP CONSTRAINT billed_usage_metric_check, ADD FOREIGN KEY (metric) REFERENCES metrics;
ALTER TABLE usage_meters DROP CONSTRAINT usage_meters_metric_check, ADD FOREIGN KEY (metric) REFERENCES metrics;
