-- Writes snapshots of different subscriptions with their items, unless newer ones exist; rows of an
-- older reader are replaced for the same event.
WITH incoming AS MATERIALIZED (
    SELECT json, jsonb_populate_record(NULL::subscriptions, json) AS row FROM jsonb_array_elements($1::jsonb) AS incoming(json)
), written AS (
    INSERT INTO subscriptions AS kept (
        customer_id, stripe_subscription_id, status, plan_type, plan_name, currency, current_period_start, current_period_end,
        cancel_at_period_end, cancel_at, canceled_at, ended_at, created_at, start_date, billing_cycle_anchor, trial_end,
        billing_mode, pause_behavior, pause_resumes_at, items_complete, deleted, event_created_at, event_rank, event_progress,
        event_id, reader_version, reader_event
    )
    SELECT
        (row).customer_id, (row).stripe_subscription_id, (row).status, (row).plan_type, (row).plan_name, (row).currency,
        (json #>> '{current_period,start}')::timestamptz, (json #>> '{current_period,end}')::timestamptz,
        (row).cancel_at_period_end, (row).cancel_at, (row).canceled_at, (row).ended_at, (row).created_at, (row).start_date,
        (row).billing_cycle_anchor, (row).trial_end, (row).billing_mode, (row).pause_behavior, (row).pause_resumes_at,
        (row).items_complete, (row).deleted, (row).event_created_at, (row).event_rank, (row).event_progress, (row).event_id,
        (row).reader_version, (row).event_id
    FROM incoming
    ON CONFLICT (stripe_subscription_id) DO UPDATE SET
        customer_id = excluded.customer_id, status = excluded.status,
        -- The item that names the plan may be on a further page, which is fetched.
        plan_type = CASE WHEN excluded.items_complete OR excluded.plan_type IS NOT NULL THEN excluded.plan_type ELSE kept.plan_type END,
        plan_name = CASE WHEN excluded.items_complete OR excluded.plan_type IS NOT NULL THEN excluded.plan_name ELSE kept.plan_name END,
        currency = excluded.currency, current_period_start = excluded.current_period_start,
        current_period_end = excluded.current_period_end, cancel_at_period_end = excluded.cancel_at_period_end,
        cancel_at = excluded.cancel_at, canceled_at = excluded.canceled_at, ended_at = excluded.ended_at,
        created_at = excluded.created_at, start_date = excluded.start_date,
        billing_cycle_anchor = excluded.billing_cycle_anchor, trial_end = excluded.trial_end,
        billing_mode = excluded.billing_mode, pause_behavior = excluded.pause_behavior,
        pause_resumes_at = excluded.pause_resumes_at, items_complete = excluded.items_complete, deleted = excluded.deleted,
        event_created_at = excluded.event_created_at, event_rank = excluded.event_rank,
        event_progress = excluded.event_progress, event_id = excluded.event_id,
        reader_version = excluded.reader_version, reader_event = excluded.reader_event, updated_at = now()
    WHERE (excluded.deleted, excluded.event_created_at) > (kept.deleted, kept.event_created_at)
       OR ($2 AND (excluded.deleted, excluded.event_created_at) = (kept.deleted, kept.event_created_at) AND excluded.event_id <> kept.event_id)
       OR (excluded.event_id = kept.event_id
           AND excluded.reader_version > CASE WHEN kept.reader_event = kept.event_id THEN kept.reader_version ELSE 0 END)
    RETURNING id, stripe_subscription_id
), item AS (
    SELECT written.id AS written_id, row.stripe_item_id, row.price_id, row.lookup_key, row.quantity, row.plan_type, row.usage_type,
           row.price_interval, row.price_interval_count, (element #>> '{period,start}')::timestamptz AS period_start,
           (element #>> '{period,end}')::timestamptz AS period_end
    FROM written JOIN incoming ON (incoming.row).stripe_subscription_id = written.stripe_subscription_id,
         jsonb_array_elements(incoming.json -> 'items') AS item(element), jsonb_populate_record(NULL::subscription_items, element) AS row
), kept_items AS (
    INSERT INTO subscription_items AS kept (
        subscription_id, stripe_item_id, price_id, lookup_key, quantity, plan_type, usage_type, price_interval,
        price_interval_count, period_start, period_end
    )
    SELECT written_id, stripe_item_id, price_id, lookup_key, quantity, plan_type, usage_type, price_interval,
           price_interval_count, period_start, period_end
    FROM item
    ON CONFLICT (subscription_id, stripe_item_id) DO UPDATE SET
        price_id = excluded.price_id, lookup_key = excluded.lookup_key, quantity = excluded.quantity,
        plan_type = excluded.plan_type, usage_type = excluded.usage_type, price_interval = excluded.price_interval,
        price_interval_count = excluded.price_interval_count, period_start = excluded.period_start,
        period_end = excluded.period_end
), gone AS (
    DELETE FROM subscription_items item_of USING written
    -- An array, so that the table is never read whole: see link.rs.
    WHERE item_of.subscription_id = ANY (ARRAY(SELECT id FROM written)) AND item_of.subscription_id = written.id
      -- A further page of items that was fetched earlier stays until it is fetched again.
      AND (SELECT (incoming.row).items_complete FROM incoming WHERE (incoming.row).stripe_subscription_id = written.stripe_subscription_id)
      AND NOT EXISTS (SELECT FROM item WHERE item.written_id = item_of.subscription_id AND item.stripe_item_id = item_of.stripe_item_id)
)
SELECT stripe_subscription_id FROM written
