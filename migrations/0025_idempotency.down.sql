DROP TABLE billing_idempotency;
