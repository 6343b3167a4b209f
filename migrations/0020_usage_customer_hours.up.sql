-- Hourly usage per customer, summed over all apps. The usage page reads it, because reading the
-- record of every app takes longer than the rest of the page.
--
-- Triggers maintain it in the transactions that change `usage_records`, so that writers, older
-- servers included, need no change.
CREATE TABLE usage_customer_hours (
    customer_id         uuid NOT NULL,
    hour                timestamptz NOT NULL,
    impressions         bigint NOT NULL,
    api_calls           bigint NOT NULL,
    data_transfer_bytes bigint NOT NULL,
    -- Time of the newest event in the hour.
    as_of               timestamptz NOT NULL,
    PRIMARY KEY (customer_id, hour)
    -- The current hour is updated all the time. Free space in its page allows HOT updates.
) WITH (fillfactor = 80);

-- An upsert fires both the update and the insert trigger, so hours are not locked in a fixed order.
-- Their customers are locked first, in order, so that transactions don't deadlock.
CREATE FUNCTION usage_customer_hours_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_customer_hours'), key)
        FROM (SELECT DISTINCT hashtext(customer_id::text) AS key FROM after ORDER BY key) AS customers;
    IF FOUND THEN
        INSERT INTO usage_customer_hours AS kept (customer_id, hour, impressions, api_calls, data_transfer_bytes, as_of)
        SELECT customer_id, hour,
            coalesce(sum(quantity) FILTER (WHERE metric = 'impressions'), 0),
            coalesce(sum(quantity) FILTER (WHERE metric = 'api_calls'), 0),
            coalesce(sum(quantity) FILTER (WHERE metric = 'data_transfer_bytes'), 0),
            max(as_of)
        FROM after GROUP BY customer_id, hour
        ON CONFLICT (customer_id, hour) DO UPDATE SET
            impressions = kept.impressions + excluded.impressions,
            api_calls = kept.api_calls + excluded.api_calls,
            data_transfer_bytes = kept.data_transfer_bytes + excluded.data_transfer_bytes,
            as_of = greatest(kept.as_of, excluded.as_of);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION usage_customer_hours_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_customer_hours'), key)
        FROM (SELECT DISTINCT hashtext(customer_id::text) AS key FROM after ORDER BY key) AS customers;
    IF FOUND THEN
        UPDATE usage_customer_hours AS kept SET
            impressions = kept.impressions + more.impressions,
            api_calls = kept.api_calls + more.api_calls,
            data_transfer_bytes = kept.data_transfer_bytes + more.data_transfer_bytes,
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
CREATE FUNCTION usage_customer_hours_take() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_customer_hours'), key)
        FROM (SELECT DISTINCT hashtext(customer_id::text) AS key FROM before ORDER BY key) AS customers;
    UPDATE usage_customer_hours AS kept SET
        impressions = kept.impressions - less.impressions,
        api_calls = kept.api_calls - less.api_calls,
        data_transfer_bytes = kept.data_transfer_bytes - less.data_transfer_bytes
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

-- Creating the triggers blocks writers until commit, so each record is summed exactly once.
CREATE TRIGGER usage_customer_hours_add AFTER INSERT ON usage_records
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION usage_customer_hours_add();
CREATE TRIGGER usage_customer_hours_change AFTER UPDATE ON usage_records
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION usage_customer_hours_change();
CREATE TRIGGER usage_customer_hours_take AFTER DELETE ON usage_records
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION usage_customer_hours_take();
INSERT INTO usage_customer_hours (customer_id, hour, impressions, api_calls, data_transfer_bytes, as_of)
SELECT customer_id, hour,
    coalesce(sum(quantity) FILTER (WHERE metric = 'impressions'), 0),
    coalesce(sum(quantity) FILTER (WHERE metric = 'api_calls'), 0),
    coalesce(sum(quantity) FILTER (WHERE metric = 'data_transfer_bytes'), 0),
    max(as_of)
FROM usage_records GROUP BY customer_id, hour ORDER BY customer_id, hour;
