-- Snapshots of the same second are ordered by comparing their events with the other events of that
-- object and second. That needs an index by object and time; it also serves look-ups of all events
-- of an object, as the index by object did.
CREATE INDEX stripe_webhook_events_object_second ON stripe_webhook_events (object_id, stripe_created_at) WHERE object_id IS NOT NULL;
DROP INDEX stripe_webhook_events_object;

-- Objects with several events in one second whose order is unknown: fetched again after that
-- second.
CREATE TABLE stripe_ties (
    object_id  text PRIMARY KEY,
    -- Stripe's object type.
    kind       text NOT NULL,
    second     timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    attempts   integer NOT NULL DEFAULT 0,
    tried_at   timestamptz,
    last_error text
);
