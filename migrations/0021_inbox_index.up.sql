-- No query finds events by their invoice: its timeline uses the objects' ids. Every new event paid
-- for this index.
DROP INDEX stripe_webhook_events_invoice;
