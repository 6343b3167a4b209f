-- Which subscription and which period are metered follows from more than the mirror held: the items' own periods and intervals, the billing
-- cycle anchor, the plan that a subscription names where it is none of ours, and when collection is paused. NULL marks rows whose stored
-- payload has yet to be read again; the rule then goes by the period of the subscription.
ALTER TABLE subscriptions
    -- What metadata.plan_type says, where it is none of the plans.
    ADD COLUMN plan_name            text,
    ADD COLUMN start_date           timestamptz,
    ADD COLUMN billing_cycle_anchor timestamptz,
    ADD COLUMN trial_end            timestamptz,
    -- classic or flexible.
    ADD COLUMN billing_mode         text,
    -- Of pause_collection: keep_as_draft, mark_uncollectible or void; and until when, if not for good.
    ADD COLUMN pause_behavior       text,
    ADD COLUMN pause_resumes_at     timestamptz,
    -- False while Stripe holds back further pages of items.
    ADD COLUMN items_complete       boolean NOT NULL DEFAULT true;
CREATE INDEX subscriptions_items_incomplete ON subscriptions (stripe_subscription_id) WHERE NOT items_complete AND NOT deleted;

ALTER TABLE subscription_items
    -- The plan that the price names.
    ADD COLUMN plan_type          text CHECK (plan_type IN ('starter', 'growth', 'scale', 'enterprise')),
    -- metered or licensed.
    ADD COLUMN usage_type         text,
    -- Of the price: day, week, month or year, and how many of them.
    ADD COLUMN price_interval       text,
    ADD COLUMN price_interval_count integer,
    ADD COLUMN period_start       timestamptz,
    ADD COLUMN period_end         timestamptz;

-- Percent alerts fire where the plan has no price in the customer's currency. Older servers read a cost of 0.
ALTER TABLE usage_alerts ADD COLUMN cost_known boolean NOT NULL DEFAULT true;
