DROP TABLE credit_notes;
DROP INDEX stripe_webhook_events_awaits_customer;
ALTER TABLE stripe_webhook_events DROP COLUMN awaits_customer;
ALTER TABLE customers
    DROP COLUMN address,
    DROP COLUMN tax_ids,
    DROP COLUMN preferred_locale,
    DROP COLUMN balance,
    DROP COLUMN deleted,
    DROP COLUMN added_name,
    DROP COLUMN added_email,
    DROP COLUMN added_currency,
    DROP COLUMN event_created_at,
    DROP COLUMN event_rank,
    DROP COLUMN event_progress,
    DROP COLUMN event_id;
