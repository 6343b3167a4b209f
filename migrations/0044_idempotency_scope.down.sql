ALTER TABLE billing_idempotency DROP COLUMN scope;
