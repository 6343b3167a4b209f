DROP TABLE stripe_fetches;
DROP INDEX invoices_lines_incomplete;
UPDATE stripe_webhook_events SET status = 'ignored', last_error = 'a thin event: its object is fetched, not sent' WHERE awaits_fetch;
ALTER TABLE stripe_webhook_events DROP COLUMN awaits_fetch;
DROP TABLE stripe_backfill;
