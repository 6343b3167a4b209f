DROP TABLE refunds;
DROP TABLE charges;
DROP TABLE invoice_payments;
DROP TABLE invoice_line_items;
DROP TABLE invoices;
DROP TABLE subscription_items;
DROP TABLE subscriptions;
DROP TABLE stripe_webhook_events;
