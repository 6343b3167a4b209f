-- Fails while a table has rows of a metric that servers of before don't know.
ALTER TABLE usage_meters DROP CONSTRAINT usage_meters_metric_fkey,
    ADD CONSTRAINT usage_meters_metric_check CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes'));
ALTER TABLE billed_usage DROP CONSTRAINT billed_usage_metric_fkey,
    ADD CONSTRAINT billed_usage_metric_check CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes'));
ALTER TABLE usage_refusals DROP CONSTRAINT usage_refusals_metric_fkey,
    ADD CONSTRAINT usage_refusals_metric_check CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes'));
ALTER TABLE usage_alerts DROP CONSTRAINT usage_alerts_metric_fkey,
    ADD CONSTRAINT usage_alerts_metric_check CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes'));
ALTER TABLE plan_prices DROP CONSTRAINT plan_prices_metric_fkey,
    ADD CONSTRAINT plan_prices_metric_check CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes'));
ALTER TABLE usage_records ADD CONSTRAINT usage_records_metric_check CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes'));
DROP TABLE metrics;
