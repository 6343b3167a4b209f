-- Copying raw usage events from PostgreSQL to ClickHouse can be interrupted and resumed. A check
-- compares raw events with the billed hours.

-- Progress of `apex-billing usage move`, one row per monthly partition.
CREATE TABLE usage_moves (
    month         timestamptz PRIMARY KEY,
    -- Events before this instant are copied.
    copied_until  timestamptz NOT NULL,
    events_copied bigint NOT NULL DEFAULT 0,
    started_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    -- Compared, found equal, and deleted from PostgreSQL.
    moved_at      timestamptz
);

-- Hours in which raw events and `usage_records` differ. Each is reported once and never repaired
-- automatically.
CREATE TABLE usage_differences (
    customer_id       uuid NOT NULL,
    metric            text NOT NULL,
    hour              timestamptz NOT NULL,
    raw_events        bigint NOT NULL,
    raw_quantity      bigint NOT NULL,
    recorded_events   bigint NOT NULL,
    recorded_quantity bigint NOT NULL,
    found_at          timestamptz NOT NULL DEFAULT now(),
    settled_at        timestamptz,
    PRIMARY KEY (customer_id, metric, hour)
);

-- Finds the events of an hour. Events arrive nearly in order of time, so the index is cheap to
-- maintain.
CREATE INDEX usage_events_occurred_at ON usage_events USING brin (occurred_at) WITH (pages_per_range = 32, autosummarize = on);
-- Finds the records of an hour, across all customers.
CREATE INDEX usage_records_hour ON usage_records USING brin (hour) WITH (pages_per_range = 32, autosummarize = on);
