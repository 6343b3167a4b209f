-- Moving raw usage events from PostgreSQL into ClickHouse can be interrupted and goes on where it was; and raw events are compared with
-- the hours that are billed.

-- How far `apex-billing usage move` has come, one row a monthly partition.
CREATE TABLE usage_moves (
    month         timestamptz PRIMARY KEY,
    -- Events before this instant are copied.
    copied_until  timestamptz NOT NULL,
    events_copied bigint NOT NULL DEFAULT 0,
    started_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    -- Compared, found equal, and removed from PostgreSQL.
    moved_at      timestamptz
);

-- Hours whose raw events are not what `usage_records` says. Reported once each; never repaired by themselves.
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

-- Finds the events of an hour. Events come in nearly in the order of their time, so that it costs next to nothing to keep.
CREATE INDEX usage_events_occurred_at ON usage_events USING brin (occurred_at) WITH (pages_per_range = 32, autosummarize = on);
-- The records of an hour, whosever they are.
CREATE INDEX usage_records_hour ON usage_records USING brin (hour) WITH (pages_per_range = 32, autosummarize = on);
