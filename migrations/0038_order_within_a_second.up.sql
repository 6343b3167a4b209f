-- Snapshots of one second are ordered by what their events say of each other, so that an event is compared with those of the same object and
-- second. That needs an index by object and time; it serves look-ups of all events of an object as well as the one by object alone did.
CREATE INDEX stripe_webhook_events_object_second ON stripe_webhook_events (object_id, stripe_created_at) WHERE object_id IS NOT NULL;
DROP INDEX stripe_webhook_events_object;

-- Objects of which the events of one second don't say which came last: fetched again once that second is over.
CREATE TABLE stripe_ties (
    object_id  text PRIMARY KEY,
    -- Stripe's name of the kind of object.
    kind       text NOT NULL,
    second     timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    attempts   integer NOT NULL DEFAULT 0,
    tried_at   timestamptz,
    last_error text
);
