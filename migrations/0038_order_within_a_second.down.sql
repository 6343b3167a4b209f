DROP TABLE stripe_ties;
CREATE INDEX stripe_webhook_events_object ON stripe_webhook_events (object_id) WHERE object_id IS NOT NULL;
DROP INDEX stripe_webhook_events_object_second;
