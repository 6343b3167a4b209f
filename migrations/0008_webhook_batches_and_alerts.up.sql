-- Deliveries are applied in batches: related objects are looked up together, and payments by their
-- charge too.
CREATE INDEX invoice_payments_charge ON invoice_payments (charge) WHERE charge IS NOT NULL;

-- Sums of a line's discounts and taxes, in minor units of the invoice's currency. Lines mirrored
-- earlier have 0.
ALTER TABLE invoice_line_items
    ADD COLUMN discount bigint NOT NULL DEFAULT 0,
    ADD COLUMN tax      bigint NOT NULL DEFAULT 0;

-- Stripe's usage alerts, as last triggered for a customer.
CREATE TABLE stripe_alerts (
    -- The Stripe alert id and the Stripe customer id. An alert triggers separately for each
    -- customer, and Stripe has no id for the pair.
    id                text PRIMARY KEY,
    customer_id       uuid NOT NULL REFERENCES customers,
    stripe_alert_id   text NOT NULL,
    title             text,
    meter_event_name  text,
    -- In the meter's unit.
    threshold         bigint,
    value             bigint NOT NULL,
    triggered_at      timestamptz NOT NULL,
    event_created_at  timestamptz NOT NULL,
    event_rank        smallint NOT NULL,
    event_progress    bigint NOT NULL DEFAULT 0,
    event_id          text COLLATE "C" NOT NULL
);
CREATE INDEX stripe_alerts_customer ON stripe_alerts (customer_id);

-- Payloads are some kilobytes of JSON. LZ4 compresses them in a tenth of pglz's time. A PostgreSQL
-- built without LZ4 keeps using pglz.
DO $$
BEGIN
    ALTER TABLE stripe_webhook_events ALTER COLUMN payload SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END $$;
