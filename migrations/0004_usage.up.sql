-- Customers' usage. The key table detects duplicates, the event table stores raw events, and pages
-- and invoices read the hourly records.
CREATE TABLE usage_event_keys (
    customer_id uuid NOT NULL,
    event_id    text NOT NULL,
    PRIMARY KEY (customer_id, event_id)
) PARTITION BY HASH (customer_id, event_id);
DO $$
BEGIN
    FOR i IN 0..7 LOOP
        EXECUTE format('CREATE TABLE usage_event_keys_%s PARTITION OF usage_event_keys FOR VALUES WITH (MODULUS 8, REMAINDER %s)', i, i);
    END LOOP;
END $$;

CREATE TABLE usage_events (
    customer_id uuid NOT NULL,
    event_id    text NOT NULL,
    app_id      text NOT NULL,
    metric      text NOT NULL,
    quantity    bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    properties  jsonb,
    received_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (occurred_at);

-- Creates the monthly partitions that hold [since, until]. Several replicas may call it at once.
CREATE FUNCTION usage_events_ensure_partitions(since timestamptz, until timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month timestamptz := date_trunc('month', since, 'UTC');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_events_ensure_partitions'));
    WHILE month <= until LOOP
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS %I PARTITION OF usage_events FOR VALUES FROM (%L) TO (%L)',
            'usage_events_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM'), month, (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
        month := (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC';
    END LOOP;
END $$;

CREATE TABLE usage_records (
    customer_id uuid NOT NULL REFERENCES customers,
    metric      text NOT NULL CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes')),
    hour        timestamptz NOT NULL,
    app_id      text NOT NULL,
    quantity    bigint NOT NULL,
    event_count bigint NOT NULL,
    -- Time of the newest event in the hour.
    as_of       timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, metric, hour, app_id)
);
