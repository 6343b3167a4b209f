ALTER TABLE usage_alerts DROP COLUMN cost_known;
ALTER TABLE subscription_items
    DROP COLUMN plan_type,
    DROP COLUMN usage_type,
    DROP COLUMN price_interval,
    DROP COLUMN price_interval_count,
    DROP COLUMN period_start,
    DROP COLUMN period_end;
DROP INDEX subscriptions_items_incomplete;
ALTER TABLE subscriptions
    DROP COLUMN plan_name,
    DROP COLUMN start_date,
    DROP COLUMN billing_cycle_anchor,
    DROP COLUMN trial_end,
    DROP COLUMN billing_mode,
    DROP COLUMN pause_behavior,
    DROP COLUMN pause_resumes_at,
    DROP COLUMN items_complete;
