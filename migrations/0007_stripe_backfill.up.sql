-- Backfill: reads missed events from Stripe page by page and, on request, the objects themselves.
-- It also fetches what events omit: the object of a thin event and the further pages of an
-- invoice's lines.
CREATE TABLE stripe_backfill (
    -- `events`, an object type of a full import, or `full`, whose cursor is the current object
    -- type.
    stream     text PRIMARY KEY,
    -- Start of the last complete run, by Stripe's clock. Everything created before it has been
    -- read.
    read_until timestamptz,
    -- Of an unfinished run: its start by Stripe's clock, how far back it reads, and the last stored
    -- object of its last page.
    began_at   timestamptz,
    since      timestamptz,
    cursor     text,
    -- Objects of the current or last run: seen, and stored because they were missing.
    read       bigint NOT NULL DEFAULT 0,
    stored     bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- The event's object must be fetched before the event is applied.
ALTER TABLE stripe_webhook_events ADD COLUMN awaits_fetch boolean NOT NULL DEFAULT false;
CREATE INDEX stripe_webhook_events_awaits_fetch ON stripe_webhook_events (id) WHERE awaits_fetch;

CREATE INDEX invoices_lines_incomplete ON invoices (stripe_invoice_id) WHERE NOT lines_complete AND NOT deleted;

-- Failed attempts to complete an object. The row is deleted once the object is complete.
CREATE TABLE stripe_fetches (
    object_id  text PRIMARY KEY,
    attempts   integer NOT NULL,
    tried_at   timestamptz NOT NULL,
    last_error text
);
