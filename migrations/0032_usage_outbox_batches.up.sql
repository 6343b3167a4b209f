-- Most usage arrives in requests of many events. One usage_outbox row per event (insert, two index
-- entries, read, delete) costs PostgreSQL three times the rest of the work for an event. Here a
-- request is one row. Small requests and corrections still use usage_outbox; older servers know no
-- other queue.
CREATE TABLE usage_outbox_batches (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id uuid NOT NULL,
    events      int NOT NULL CHECK (events > 0),
    -- Range of the events' occurred_at.
    earliest    timestamptz NOT NULL,
    latest      timestamptz NOT NULL,
    -- One array element per event, in the same order.
    event_ids   text[] NOT NULL,
    app_ids     text[] NOT NULL,
    metrics     text[] NOT NULL,
    quantities  bigint[] NOT NULL,
    occurred_at timestamptz[] NOT NULL,
    properties  text[] NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX usage_outbox_batches_customer ON usage_outbox_batches (customer_id, id);
-- This table is a queue, like usage_outbox. Its arrays are in the TOAST table, which is vacuumed
-- separately.
ALTER TABLE usage_outbox_batches SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
                                      toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000);
-- Arrays of ids or times compress well, but pglz takes longer than writing them uncompressed. Not
-- every PostgreSQL is built with LZ4.
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
