ALTER TABLE stripe_webhook_events ALTER COLUMN payload SET COMPRESSION default;
DROP TABLE stripe_alerts;
ALTER TABLE invoice_line_items DROP COLUMN discount, DROP COLUMN tax;
DROP INDEX invoice_payments_charge;
