CREATE INDEX stripe_webhook_events_invoice ON stripe_webhook_events (stripe_invoice_id) WHERE stripe_invoice_id IS NOT NULL;
