-- With ClickHouse, PostgreSQL still decides which usage events are new, and keeps them here until they are there.

-- Who keeps the raw events: no row as long as PostgreSQL has always kept them. Servers without CLICKHOUSE_URL don't start once there is one.
CREATE TABLE usage_store (
    store    text PRIMARY KEY CHECK (store = 'clickhouse'),
    since    timestamptz NOT NULL DEFAULT now()
);

-- Accepted events on their way to ClickHouse.
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
-- Since when a customer's figures lack something.
CREATE INDEX usage_outbox_customer ON usage_outbox (customer_id, id);
-- A queue: without this its dead rows outnumber the living before they are cleared away.
ALTER TABLE usage_outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000, autovacuum_vacuum_insert_scale_factor = 0,
                              autovacuum_vacuum_insert_threshold = 500000);

-- Of two states of an hour in ClickHouse the one with the greater number is the newer.
CREATE SEQUENCE usage_hours_version AS bigint;
