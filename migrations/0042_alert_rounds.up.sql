-- A threshold fires once per period, but a plan change or a correction may take usage below it again: then it is re-armed, and fires anew
-- when it is reached again. Each firing is a row of its own, counted by `round`. Servers of before write round 0 and fire each once.
ALTER TABLE usage_alerts
    ADD COLUMN round integer NOT NULL DEFAULT 0,
    -- Since when usage is below the threshold again, or the included quantity is another one; null while the threshold counts as reached.
    ADD COLUMN rearmed_at timestamptz,
    -- When usage reached the threshold, by the newest event of the hour that reached it; `fired_at` is when that was noticed.
    ADD COLUMN crossed_at timestamptz,
    DROP CONSTRAINT usage_alerts_once,
    ADD CONSTRAINT usage_alerts_once UNIQUE (customer_id, period_start, metric, kind, threshold, round);

-- What caps refuse, so that the usage page can say since when and how many events. One row per cap; a cap that starts refusing again begins
-- anew. Events that are sent again count again.
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
    -- When usage fell below the cap or the cap was changed; null while it refuses.
    ended_at     timestamptz,
    PRIMARY KEY (customer_id, period_start, metric, cap)
);
