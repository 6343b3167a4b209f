-- What a period's usage was when its invoice was finalized. A late event or a correction may change it afterwards: then staff is told and
-- the change is audited, so that a billed period never changes silently.
CREATE TABLE billed_usage (
    invoice_id  uuid NOT NULL REFERENCES invoices ON DELETE CASCADE,
    metric      text NOT NULL CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes')),
    -- As it was last known; what it was before stands in billing_audit.
    quantity    bigint NOT NULL,
    noticed_at  timestamptz NOT NULL,
    PRIMARY KEY (invoice_id, metric)
);
CREATE INDEX invoices_finalized ON invoices (finalized_at) WHERE finalized_at IS NOT NULL AND stripe_subscription_id IS NOT NULL;
