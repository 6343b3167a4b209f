-- Fields that decide which subscription and period are metered: the items' periods and intervals,
-- the billing cycle anchor, unknown plan names, and paused collection. NULL marks rows whose
-- payload has not been parsed again; they use the subscription's period.
ALTER TABLE subscriptions
    -- metadata.plan_type, if it is not one of the plans.
    ADD COLUMN plan_name            text,
    ADD COLUMN start_date           timestamptz,
    ADD COLUMN billing_cycle_anchor timestamptz,
    ADD COLUMN trial_end            timestamptz,
    -- classic or flexible.
    ADD COLUMN billing_mode         text,
    -- Stripe's pause_collection: keep_as_draft, mark_uncollectible or void; and its end, if it has
    -- one.
    ADD COLUMN pause_behavior       text,
    ADD COLUMN pause_resumes_at     timestamptz,
    -- False while further pages of items have not been fetched.
    ADD COLUMN items_complete       boolean NOT NULL DEFAULT true;
CREATE INDEX subscriptions_items_incomplete ON subscriptions (stripe_subscription_id) WHERE NOT items_complete AND NOT deleted;

ALTER TABLE subscription_items
    -- The plan that the price's metadata names.
    ADD COLUMN plan_type          text CHECK (plan_type IN ('starter', 'growth', 'scale', 'enterprise')),
    -- metered or licensed.
    ADD COLUMN usage_type         text,
    -- The price's interval: day, week, month or year, and the interval count.
    ADD COLUMN price_interval       text,
    ADD COLUMN price_interval_count integer,
    ADD COLUMN period_start       timestamptz,
    ADD COLUMN period_end         timestamptz;

-- Percent alerts fire even if the plan has no price in the customer's currency. Older servers read
-- a cost of 0.
ALTER TABLE usage_alerts ADD COLUMN cost_known boolean NOT NULL DEFAULT true;
