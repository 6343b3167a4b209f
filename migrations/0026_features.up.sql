-- Switches that staff can move while the servers run; every server reads them again within a second or two.
-- A feature without a row is on. BILLING_ENABLED=false wins over billingEnabled.
CREATE TABLE features (
    name       text PRIMARY KEY,
    enabled    boolean NOT NULL,
    reason     text CHECK (length(reason) BETWEEN 1 AND 500),
    -- As in billing_audit.
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);
