-- A correction replaces an event's quantity. The event's row then has the new quantity; the old one
-- is stored here and in billing_audit.
CREATE TABLE usage_corrections (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id     uuid NOT NULL REFERENCES customers,
    -- The correction's own id, chosen by its sender, and the id of the event that it corrects.
    correction_id   text NOT NULL,
    event_id        text NOT NULL,
    metric          text NOT NULL,
    app_id          text NOT NULL,
    occurred_at     timestamptz NOT NULL,
    quantity_before bigint NOT NULL,
    quantity        bigint NOT NULL CHECK (quantity >= 0),
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (customer_id, correction_id)
);
CREATE INDEX usage_corrections_event ON usage_corrections (customer_id, event_id, id DESC);

