-- Deliveries are applied in batches: what hangs together is looked up for many objects at once, and a payment by its charge too.
CREATE INDEX invoice_payments_charge ON invoice_payments (charge) WHERE charge IS NOT NULL;

-- What a line's discounts and taxes come to, in minor units of the invoice's currency. Lines mirrored before say nothing of them.
ALTER TABLE invoice_line_items
    ADD COLUMN discount bigint NOT NULL DEFAULT 0,
    ADD COLUMN tax      bigint NOT NULL DEFAULT 0;

-- Stripe's own usage alerts, as they were last triggered for a customer.
CREATE TABLE stripe_alerts (
    -- The alert and the Stripe customer, for whom it is triggered separately: Stripe gives the two together no id.
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

-- Payloads are some kilobytes of JSON: LZ4 makes them small enough for their row in a tenth of pglz's time. A server built without it keeps pglz.
DO $$
BEGIN
    ALTER TABLE stripe_webhook_events ALTER COLUMN payload SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END $$;
