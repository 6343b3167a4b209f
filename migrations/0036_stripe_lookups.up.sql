-- Events since API version 2025-03-31.basil contain only the ids of tax rates and prices. Each is
-- fetched once (service::lookups), and invoices that reference it then show it.
CREATE TABLE prices (
    stripe_price_id    text PRIMARY KEY,
    transform_quantity jsonb,  -- TransformQuantity; NULL where the price has none
    fetched_at         timestamptz NOT NULL DEFAULT now()
);

-- Referenced ids that are still unknown. A row is deleted some time after its object is known and
-- no invoice waits for it.
CREATE TABLE stripe_lookups (
    object_id  text COLLATE "C" PRIMARY KEY,
    object     text NOT NULL CHECK (object IN ('tax_rate', 'price')),
    attempts   integer NOT NULL DEFAULT 0,
    tried_at   timestamptz,
    last_error text,
    known_at   timestamptz,
    -- Stripe has no such object, so it is not requested again.
    missing    boolean NOT NULL DEFAULT false
);

-- The unknown ids that an invoice references. When one becomes known, the invoice is displayed
-- differently.
ALTER TABLE invoices ADD COLUMN lookups text[];
CREATE INDEX invoices_lookups ON invoices USING gin (lookups) WHERE lookups IS NOT NULL;
