-- The sums of a customer's hours over all apps had a column per metric. Here each metric has a row,
-- so that a new metric needs no column.
CREATE TABLE usage_customer_metric_hours (
    customer_id uuid NOT NULL,
    metric      text NOT NULL,
    hour        timestamptz NOT NULL,
    quantity    bigint NOT NULL,
    -- The newest event in the hour.
    as_of       timestamptz NOT NULL
    -- The running hour is updated all the time: in place, with room in its page.
) WITH (fillfactor = 80);

-- Until this is committed, no transaction counts, so that every record is in the sums once.
LOCK TABLE usage_records IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO usage_customer_metric_hours (customer_id, metric, hour, quantity, as_of)
SELECT customer_id, metric, hour, quantity, as_of
FROM usage_customer_hours, LATERAL (VALUES ('impressions', impressions), ('api_calls', api_calls), ('data_transfer_bytes', data_transfer_bytes))
    AS columns (metric, quantity)
WHERE quantity <> 0 OR (impressions, api_calls, data_transfer_bytes) = (0, 0, 0)
ORDER BY hour, customer_id, metric;
ALTER TABLE usage_customer_metric_hours ADD PRIMARY KEY (customer_id, metric, hour), ADD FOREIGN KEY (metric) REFERENCES metrics;
-- The check of usage reads the last days of all customers.
CREATE INDEX usage_customer_metric_hours_hour ON usage_customer_metric_hours USING brin (hour) WITH (pages_per_range = 32, autosummarize = on);

CREATE OR REPLACE FUNCTION usage_customer_hours_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_customer_hours'), key)
        FROM (SELECT DISTINCT hashtext(customer_id::text) AS key FROM after ORDER BY key) AS customers;
    IF FOUND THEN
        INSERT INTO usage_customer_metric_hours AS kept (customer_id, metric, hour, quantity, as_of)
        SELECT customer_id, metric, hour, usage_saturated(sum(quantity)), max(as_of)
        FROM after GROUP BY customer_id, metric, hour
        ON CONFLICT (customer_id, metric, hour) DO UPDATE SET
            quantity = usage_saturated(kept.quantity::numeric + excluded.quantity),
            as_of = greatest(kept.as_of, excluded.as_of);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION usage_customer_hours_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_customer_hours'), key)
        FROM (SELECT DISTINCT hashtext(customer_id::text) AS key FROM after ORDER BY key) AS customers;
    IF FOUND THEN
        UPDATE usage_customer_metric_hours AS kept SET
            quantity = usage_saturated(kept.quantity::numeric + more.quantity),
            as_of = greatest(kept.as_of, more.as_of)
        FROM (
            SELECT customer_id, metric, hour, sum(quantity) AS quantity, max(as_of) AS as_of
            FROM (
                SELECT customer_id, metric, hour, quantity, as_of FROM after
                UNION ALL SELECT customer_id, metric, hour, -quantity, as_of FROM before
            ) AS changes GROUP BY customer_id, metric, hour
        ) AS more
        WHERE kept.customer_id = more.customer_id AND kept.metric = more.metric AND kept.hour = more.hour;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION usage_customer_hours_take() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_customer_hours'), key)
        FROM (SELECT DISTINCT hashtext(customer_id::text) AS key FROM before ORDER BY key) AS customers;
    UPDATE usage_customer_metric_hours AS kept SET quantity = usage_saturated(kept.quantity::numeric - less.quantity)
    FROM (SELECT customer_id, metric, hour, sum(quantity) AS quantity FROM before GROUP BY customer_id, metric, hour) AS less
    WHERE kept.customer_id = less.customer_id AND kept.metric = less.metric AND kept.hour = less.hour;
    RETURN NULL;
END $$;

-- Older servers read the columns, and write them after splitting an hour. They use a view, so that
-- the sums are stored once. A later release drops the view.
DROP TABLE usage_customer_hours;
CREATE VIEW usage_customer_hours AS
SELECT customer_id, hour,
    coalesce(sum(quantity) FILTER (WHERE metric = 'impressions'), 0)::bigint AS impressions,
    coalesce(sum(quantity) FILTER (WHERE metric = 'api_calls'), 0)::bigint AS api_calls,
    coalesce(sum(quantity) FILTER (WHERE metric = 'data_transfer_bytes'), 0)::bigint AS data_transfer_bytes,
    max(as_of) AS as_of
FROM usage_customer_metric_hours GROUP BY customer_id, hour;

CREATE FUNCTION usage_customer_hours_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM usage_customer_metric_hours WHERE customer_id = OLD.customer_id AND hour = OLD.hour;
        RETURN OLD;
    END IF;
    INSERT INTO usage_customer_metric_hours AS kept (customer_id, metric, hour, quantity, as_of)
    SELECT NEW.customer_id, metric, NEW.hour, quantity, NEW.as_of
    FROM (VALUES ('impressions', NEW.impressions), ('api_calls', NEW.api_calls), ('data_transfer_bytes', NEW.data_transfer_bytes))
        AS columns (metric, quantity)
    WHERE quantity <> 0 OR TG_OP = 'UPDATE'
    ON CONFLICT (customer_id, metric, hour) DO UPDATE SET quantity = excluded.quantity, as_of = excluded.as_of;
    RETURN NEW;
END $$;
CREATE TRIGGER usage_customer_hours_write INSTEAD OF INSERT OR UPDATE OR DELETE ON usage_customer_hours
    FOR EACH ROW EXECUTE FUNCTION usage_customer_hours_write();
