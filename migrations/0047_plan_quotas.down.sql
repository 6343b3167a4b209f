-- The columns say the same.
DROP TABLE plan_quotas;
DROP TRIGGER plan_quotas_of_columns ON plans;
DROP FUNCTION plan_quotas_of_columns;
DROP FUNCTION plan_quotas_to_columns;
ALTER TABLE plans
    ALTER COLUMN included_impressions DROP DEFAULT,
    ALTER COLUMN included_api_calls DROP DEFAULT,
    ALTER COLUMN included_data_transfer_bytes DROP DEFAULT;
