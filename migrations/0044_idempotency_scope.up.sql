-- An idempotency key is scoped to its sender, role and customer: after a change of role or
-- customer, a saved response is not returned. Older servers write NULL, which matches every scope
-- until the key expires.
ALTER TABLE billing_idempotency ADD COLUMN scope text CHECK (length(scope) <= 200);
