-- The hours get their columns back.
LOCK TABLE usage_records IN SHARE ROW EXCLUSIVE MODE;
DROP TRIGGER usage_customer_hours_write ON usage_customer_hours;
DROP FUNCTION usage_customer_hours_write;
ALTER VIEW usage_customer_hours RENAME TO usage_customer_hours_of_rows;
CREATE TABLE usage_customer_hours (
    customer_id         uuid NOT NULL,
    hour                timestamptz NOT NULL,
    impressions         bigint NOT NULL,
    api_calls           bigint NOT NULL,
    data_transfer_bytes bigint NOT NULL,
    as_of               timestamptz NOT NULL,
    PRIMARY KEY (customer_id, hour)
) WITH (fillfactor = 80);
INSERT INTO usage_customer_hours (customer_id, hour, impressions, api_calls, data_transfer_bytes, as_of)
SELECT customer_id, hour, impressions, api_calls, data_transfer_bytes, as_of FROM usage_customer_hours_of_rows ORDER BY hour, customer_id;
DROP VIEW usage_customer_hours_of_rows;
DROP TABLE usage_customer_metric_hours;

CREATE OR REPLACE FUNCTION usage_customer_hours_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_customer_hours'), key)
        FROM (SELECT DISTINCT hashtext(customer_id::text) AS key FROM after ORDER BY key) AS customers;
    IF FOUND THEN
        INSERT INTO usage_customer_hours AS kept (customer_id, hour, impressions, api_calls, data_transfer_bytes, as_of)
        SELECT customer_id, hour,
            usage_saturated(coalesce(sum(quantity) FILTER (WHERE metric = 'impressions'), 0)),
            usage_saturated(coalesce(sum(quantity) FILTER (WHERE metric = 'api_calls'), 0)),
            usage_saturated(coalesce(sum(quantity) FILTER (WHERE metric = 'data_transfer_bytes'), 0)),
            max(as_of)
        FROM after GROUP BY customer_id, hour
        ON CONFLICT (customer_id, hour) DO UPDATE SET
            impressions = usage_saturated(kept.impressions::numeric + excluded.impressions),
            api_calls = usage_saturated(kept.api_calls::numeric + excluded.api_calls),
            data_transfer_bytes = usage_saturated(kept.data_transfer_bytes::numeric + excluded.data_transfer_bytes),
            as_of = greatest(kept.as_of, excluded.as_of);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION usage_customer_hours_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_customer_hours'), key)
        FROM (SELECT DISTINCT hashtext(customer_id::text) AS key FROM after ORDER BY key) AS customers;
    IF FOUND THEN
        UPDATE usage_customer_hours AS kept SET
            impressions = usage_saturated(kept.impressions::numeric + more.impressions),
            api_calls = usage_saturated(kept.api_calls::numeric + more.api_calls),
            data_transfer_bytes = usage_saturated(kept.data_transfer_bytes::numeric + more.data_transfer_bytes),
            as_of = greatest(kept.as_of, more.as_of)
        FROM (
            SELECT customer_id, hour,
                coalesce(sum(quantity) FILTER (WHERE metric = 'impressions'), 0) AS impressions,
                coalesce(sum(quantity) FILTER (WHERE metric = 'api_calls'), 0) AS api_calls,
                coalesce(sum(quantity) FILTER (WHERE metric = 'data_transfer_bytes'), 0) AS data_transfer_bytes,
                max(as_of) AS as_of
            FROM (
                SELECT customer_id, hour, metric, quantity, as_of FROM after
                UNION ALL SELECT customer_id, hour, metric, -quantity, as_of FROM before
            ) AS changes GROUP BY customer_id, hour
        ) AS more
        WHERE kept.customer_id = more.customer_id AND kept.hour = more.hour;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION usage_customer_hours_take() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_customer_hours'), key)
        FROM (SELECT DISTINCT hashtext(customer_id::text) AS key FROM before ORDER BY key) AS customers;
    UPDATE usage_customer_hours AS kept SET
        impressions = usage_saturated(kept.impressions::numeric - less.impressions),
        api_calls = usage_saturated(kept.api_calls::numeric - less.api_calls),
        data_transfer_bytes = usage_saturated(kept.data_transfer_bytes::numeric - less.data_transfer_bytes)
    FROM (
        SELECT customer_id, hour,
            coalesce(sum(quantity) FILTER (WHERE metric = 'impressions'), 0) AS impressions,
            coalesce(sum(quantity) FILTER (WHERE metric = 'api_calls'), 0) AS api_calls,
            coalesce(sum(quantity) FILTER (WHERE metric = 'data_transfer_bytes'), 0) AS data_transfer_bytes
        FROM before GROUP BY customer_id, hour
    ) AS less
    WHERE kept.customer_id = less.customer_id AND kept.hour = less.hour;
    RETURN NULL;
END $$;
