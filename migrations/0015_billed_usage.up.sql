-- A period's usage at the time its invoice was finalized. If a late event or a correction changes
-- the usage later, staff are notified and the change is audited.
CREATE TABLE billed_usage (
    invoice_id  uuid NOT NULL REFERENCES invoices ON DELETE CASCADE,
    metric      text NOT NULL CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes')),
    -- The last known usage. Earlier values are in billing_audit.
    quantity    bigint NOT NULL,
    noticed_at  timestamptz NOT NULL,
    PRIMARY KEY (invoice_id, metric)
);
CREATE INDEX invoices_finalized ON invoices (finalized_at) WHERE finalized_at IS NOT NULL AND stripe_subscription_id IS NOT NULL;
