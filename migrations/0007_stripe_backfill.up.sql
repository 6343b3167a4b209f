-- What was missed is read from Stripe: events page by page, and on request the objects themselves. And what an event leaves out is fetched:
-- the object of a thin event, the further pages of an invoice's lines.
CREATE TABLE stripe_backfill (
    -- `events`, the kind of object of a full import, or `full`, whose cursor is the kind that the import is at.
    stream     text PRIMARY KEY,
    -- By Stripe's clock: when the last complete run began. What was there by then has been read.
    read_until timestamptz,
    -- Of a run that is not done: when it began by Stripe's clock, how far back it goes, and the last object of its last page that is stored.
    began_at   timestamptz,
    since      timestamptz,
    cursor     text,
    -- Objects of the running or else of the last run: seen, and stored because they were absent.
    read       bigint NOT NULL DEFAULT 0,
    stored     bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Waits for its object to be fetched, and is not applied before.
ALTER TABLE stripe_webhook_events ADD COLUMN awaits_fetch boolean NOT NULL DEFAULT false;
CREATE INDEX stripe_webhook_events_awaits_fetch ON stripe_webhook_events (id) WHERE awaits_fetch;

CREATE INDEX invoices_lines_incomplete ON invoices (stripe_invoice_id) WHERE NOT lines_complete AND NOT deleted;

-- Attempts to fetch an object that left it as it was; gone once it is complete.
CREATE TABLE stripe_fetches (
    object_id  text PRIMARY KEY,
    attempts   integer NOT NULL,
    tried_at   timestamptz NOT NULL,
    last_error text
);
