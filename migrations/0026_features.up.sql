-- Feature switches that staff change at run time. Every server reads them within two seconds. A
-- feature without a row is on. BILLING_ENABLED=false overrides billingEnabled.
CREATE TABLE features (
    name       text PRIMARY KEY,
    enabled    boolean NOT NULL,
    reason     text CHECK (length(reason) BETWEEN 1 AND 500),
    -- Same format as in billing_audit.
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);
