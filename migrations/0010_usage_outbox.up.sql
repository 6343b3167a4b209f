-- With ClickHouse, PostgreSQL still detects duplicate usage events, and queues new events here
-- until ClickHouse has stored them.

-- Where raw events are stored. No row means that it was always PostgreSQL. Once there is a row,
-- servers without CLICKHOUSE_URL refuse to start.
CREATE TABLE usage_store (
    store    text PRIMARY KEY CHECK (store = 'clickhouse'),
    since    timestamptz NOT NULL DEFAULT now()
);

-- Accepted events that are not yet in ClickHouse.
CREATE TABLE usage_outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id uuid NOT NULL,
    event_id    text NOT NULL,
    app_id      text NOT NULL,
    metric      text NOT NULL,
    quantity    bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    properties  jsonb,
    received_at timestamptz NOT NULL DEFAULT now()
);
-- Since when a customer's totals have been incomplete.
CREATE INDEX usage_outbox_customer ON usage_outbox (customer_id, id);
-- This table is a queue: without these settings dead rows outnumber live ones before autovacuum
-- runs.
ALTER TABLE usage_outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000, autovacuum_vacuum_insert_scale_factor = 0,
                              autovacuum_vacuum_insert_threshold = 500000);

-- Of two states of an hour in ClickHouse, the greater number is newer.
CREATE SEQUENCE usage_hours_version AS bigint;
