-- A plan's included quantities had a column per metric. Here each metric has a row, so that a new
-- metric needs no column. A plan without a row for a metric includes none of it.
CREATE TABLE plan_quotas (
    plan_id  uuid NOT NULL REFERENCES plans ON DELETE CASCADE,
    metric   text NOT NULL REFERENCES metrics,
    -- Per period, in the metric's own unit.
    included bigint NOT NULL CHECK (included >= 0),
    PRIMARY KEY (plan_id, metric)
);
INSERT INTO plan_quotas (plan_id, metric, included)
SELECT id, metric, included
FROM plans, LATERAL (VALUES ('impressions', included_impressions), ('api_calls', included_api_calls),
    ('data_transfer_bytes', included_data_transfer_bytes)) AS quotas (metric, included);

-- Older servers read the columns, and older scripts write them. Until a later release drops the
-- columns, triggers copy each form into the other. A trigger ignores changes by the other one.
ALTER TABLE plans
    ALTER COLUMN included_impressions SET DEFAULT 0,
    ALTER COLUMN included_api_calls SET DEFAULT 0,
    ALTER COLUMN included_data_transfer_bytes SET DEFAULT 0;

CREATE FUNCTION plan_quotas_of_columns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A plan that is written with rows leaves the columns at 0 first: that makes no rows.
    INSERT INTO plan_quotas (plan_id, metric, included)
    SELECT NEW.id, metric, included
    FROM (VALUES ('impressions', NEW.included_impressions), ('api_calls', NEW.included_api_calls),
        ('data_transfer_bytes', NEW.included_data_transfer_bytes)) AS quotas (metric, included)
    WHERE included > 0 OR TG_OP = 'UPDATE'
    ON CONFLICT (plan_id, metric) DO UPDATE SET included = excluded.included;
    RETURN NULL;
END $$;
CREATE TRIGGER plan_quotas_of_columns
    AFTER INSERT OR UPDATE OF included_impressions, included_api_calls, included_data_transfer_bytes ON plans
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION plan_quotas_of_columns();

CREATE FUNCTION plan_quotas_to_columns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE plans SET
        included_impressions = coalesce((SELECT included FROM plan_quotas WHERE plan_id = id AND metric = 'impressions'), 0),
        included_api_calls = coalesce((SELECT included FROM plan_quotas WHERE plan_id = id AND metric = 'api_calls'), 0),
        included_data_transfer_bytes = coalesce((SELECT included FROM plan_quotas WHERE plan_id = id AND metric = 'data_transfer_bytes'), 0)
    WHERE id = coalesce(NEW.plan_id, OLD.plan_id);
    RETURN NULL;
END $$;
CREATE TRIGGER plan_quotas_to_columns AFTER INSERT OR UPDATE OR DELETE ON plan_quotas
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION plan_quotas_to_columns();
