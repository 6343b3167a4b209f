-- Usage goes on to Stripe's billing meters, so that Stripe's own invoice carries the overage. What was sent is kept for each hour, and kept
-- before it is sent, so that a crash neither doubles nor loses it.

-- One row for each customer and metric that is metered at Stripe: whose turn it is, and when the next look at it is due.
CREATE TABLE usage_meters (
    customer_id   uuid NOT NULL REFERENCES customers,
    metric        text NOT NULL CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes')),
    -- Counts the claims: whoever has an older one has lost it.
    claim         bigint NOT NULL DEFAULT 0,
    claimed_until timestamptz,
    next_look_at  timestamptz NOT NULL,
    -- Start of the oldest closed hour that still has something to send.
    behind_since  timestamptz,
    PRIMARY KEY (customer_id, metric)
);
CREATE INDEX usage_meters_due ON usage_meters (next_look_at);

-- What Stripe was told, hour by hour: a revision for each time that an hour had to be told of.
CREATE TABLE usage_meter_events (
    customer_id        uuid NOT NULL,
    metric             text NOT NULL,
    -- The UTC hour; its start is the event's timestamp.
    hour               timestamptz NOT NULL,
    revision           integer NOT NULL CHECK (revision > 0),
    identifier         text NOT NULL UNIQUE,
    event_name         text NOT NULL,
    stripe_customer_id text NOT NULL,
    -- In the metric's own unit.
    quantity           bigint NOT NULL CHECK (quantity > 0),
    -- sending: on its way, perhaps there. sent: counted at Stripe. failed: refused, and tried again. cancelling, cancelled: taken back.
    -- expired: not sent within Stripe's 35 days, and never will be. unclear: nobody can tell whether Stripe counts it; a person looks.
    status             text NOT NULL CHECK (status IN ('sending', 'sent', 'failed', 'cancelling', 'cancelled', 'expired', 'unclear')),
    -- Stripe has refused to take it back.
    kept               boolean NOT NULL DEFAULT false,
    -- Tries that came to nothing, and when the next one is due.
    attempts           integer NOT NULL DEFAULT 0,
    next_attempt_at    timestamptz NOT NULL,
    -- Stripe knows the identifier again for a day from then on, and takes it back for as long.
    first_tried_at     timestamptz NOT NULL,
    sent_at            timestamptz,
    cancelled_at       timestamptz,
    error              text,
    PRIMARY KEY (customer_id, metric, hour, revision),
    FOREIGN KEY (customer_id, metric) REFERENCES usage_meters
);
-- At most one call in flight per customer and meter.
CREATE UNIQUE INDEX usage_meter_events_in_flight ON usage_meter_events (customer_id, metric) WHERE status IN ('sending', 'failed', 'cancelling');

-- What Stripe counts too much in a period and does not take back, and how much of that is made up for by sending less of other hours.
CREATE TABLE usage_meter_excess (
    customer_id  uuid NOT NULL,
    metric       text NOT NULL,
    period_start timestamptz NOT NULL,
    excess       bigint NOT NULL CHECK (excess >= 0),
    carried      bigint NOT NULL CHECK (carried BETWEEN 0 AND excess),
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (customer_id, metric, period_start),
    FOREIGN KEY (customer_id, metric) REFERENCES usage_meters
);
