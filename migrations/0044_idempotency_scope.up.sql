-- An idempotency key belongs to its sender in its role and for its customer: whoever has lost a role, or moved to another customer, gets no
-- answer that was saved before. Servers that don't know this column write NULL, which counts in every scope until the key expires.
ALTER TABLE billing_idempotency ADD COLUMN scope text CHECK (length(scope) <= 200);
