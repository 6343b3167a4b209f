-- Most usage comes in requests of many events. A row in usage_outbox for each of them costs PostgreSQL three times as much as everything else that
-- it does for an event on its way to ClickHouse: writing it, both its index entries, reading it, deleting it. Here a request is one row. What
-- comes in small requests, and corrections, still go through usage_outbox; servers of before this migration know of no other queue.
CREATE TABLE usage_outbox_batches (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id uuid NOT NULL,
    events      int NOT NULL CHECK (events > 0),
    -- Of the events' occurred_at.
    earliest    timestamptz NOT NULL,
    latest      timestamptz NOT NULL,
    -- An element for each event, in the same order.
    event_ids   text[] NOT NULL,
    app_ids     text[] NOT NULL,
    metrics     text[] NOT NULL,
    quantities  bigint[] NOT NULL,
    occurred_at timestamptz[] NOT NULL,
    properties  text[] NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX usage_outbox_batches_customer ON usage_outbox_batches (customer_id, id);
-- A queue, like usage_outbox; its arrays are in the table beside it, which is vacuumed by itself.
ALTER TABLE usage_outbox_batches SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
                                      toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000);
-- A column of ids or times compresses well, but pglz takes longer for it than writing it does. Not every PostgreSQL is built with lz4.
DO $$
DECLARE
    of_arrays text;
BEGIN
    FOREACH of_arrays IN ARRAY ARRAY['event_ids', 'app_ids', 'metrics', 'quantities', 'occurred_at', 'properties'] LOOP
        BEGIN
            EXECUTE format('ALTER TABLE usage_outbox_batches ALTER %I SET COMPRESSION lz4', of_arrays);
        EXCEPTION WHEN feature_not_supported THEN
            EXECUTE format('ALTER TABLE usage_outbox_batches ALTER %I SET STORAGE EXTERNAL', of_arrays);
        END;
    END LOOP;
END $$;
