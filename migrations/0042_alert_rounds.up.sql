-- A threshold fires once per period. If a plan change or a correction takes usage below it, it is
-- re-armed and fires again when reached again. Each firing is a row, numbered by `round`. Older
-- servers write round 0 and fire once.
ALTER TABLE usage_alerts
    ADD COLUMN round integer NOT NULL DEFAULT 0,
    -- Since when usage is below the threshold or the included quantity has changed; NULL while the
    -- threshold counts as reached.
    ADD COLUMN rearmed_at timestamptz,
    -- When usage reached the threshold, by the newest event of that hour; `fired_at` is when it was
    -- detected.
    ADD COLUMN crossed_at timestamptz,
    DROP CONSTRAINT usage_alerts_once,
    ADD CONSTRAINT usage_alerts_once UNIQUE (customer_id, period_start, metric, kind, threshold, round);

-- Events refused by caps, so that the usage page can show since when and how many. One row per cap;
-- a cap that refuses again after an end starts at zero. Retried events count again.
CREATE TABLE usage_refusals (
    customer_id  uuid NOT NULL REFERENCES customers,
    period_start timestamptz NOT NULL,
    metric       text NOT NULL CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes')),
    -- In the metric's own unit, like `quantity`.
    cap          bigint NOT NULL,
    since        timestamptz NOT NULL,
    last_at      timestamptz NOT NULL,
    events       bigint NOT NULL CHECK (events > 0),
    quantity     bigint NOT NULL,
    -- When usage fell below the cap or the cap was changed; NULL while it refuses events.
    ended_at     timestamptz,
    PRIMARY KEY (customer_id, period_start, metric, cap)
);
