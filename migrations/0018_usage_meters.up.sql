-- Sends usage to Stripe's billing meters, so that Stripe's own invoice contains the overage. What
-- is sent is stored per hour before the call, so that a crash neither doubles nor loses usage.

-- One row per customer and metric with a Stripe meter: who has claimed it, and when it is next due.
CREATE TABLE usage_meters (
    customer_id   uuid NOT NULL REFERENCES customers,
    metric        text NOT NULL CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes')),
    -- A claim counter: a worker whose claim is older has lost the row.
    claim         bigint NOT NULL DEFAULT 0,
    claimed_until timestamptz,
    next_look_at  timestamptz NOT NULL,
    -- Start of the oldest closed hour with usage left to send.
    behind_since  timestamptz,
    PRIMARY KEY (customer_id, metric)
);
CREATE INDEX usage_meters_due ON usage_meters (next_look_at);

-- Meter events sent to Stripe: one revision for each change of an hour.
CREATE TABLE usage_meter_events (
    customer_id        uuid NOT NULL,
    metric             text NOT NULL,
    -- Start of the UTC hour; it is the meter event's timestamp.
    hour               timestamptz NOT NULL,
    revision           integer NOT NULL CHECK (revision > 0),
    identifier         text NOT NULL UNIQUE,
    event_name         text NOT NULL,
    stripe_customer_id text NOT NULL,
    -- In the metric's own unit.
    quantity           bigint NOT NULL CHECK (quantity > 0),
    -- sending: the call has started, the result is unknown. sent: counted by Stripe. failed:
    -- refused, and retried. cancelling, cancelled: withdrawn. expired: not sent within Stripe's 35
    -- days. unclear: it is unknown whether Stripe counts it; staff have to check.
    status             text NOT NULL CHECK (status IN ('sending', 'sent', 'failed', 'cancelling', 'cancelled', 'expired', 'unclear')),
    -- Stripe refused the cancellation.
    kept               boolean NOT NULL DEFAULT false,
    -- Failed attempts, and when the next one is due.
    attempts           integer NOT NULL DEFAULT 0,
    next_attempt_at    timestamptz NOT NULL,
    -- From then on Stripe recognises the identifier for a day, and accepts a cancellation as long.
    first_tried_at     timestamptz NOT NULL,
    sent_at            timestamptz,
    cancelled_at       timestamptz,
    error              text,
    PRIMARY KEY (customer_id, metric, hour, revision),
    FOREIGN KEY (customer_id, metric) REFERENCES usage_meters
);
-- At most one call in flight per customer and meter.
CREATE UNIQUE INDEX usage_meter_events_in_flight ON usage_meter_events (customer_id, metric) WHERE status IN ('sending', 'failed', 'cancelling');

-- Usage that Stripe overcounts in a period and does not cancel, and how much of it later hours have
-- made up for.
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
