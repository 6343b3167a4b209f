-- Events since basil (2025-03-31) name tax rates and prices by their ids alone. Each is fetched once (service::lookups), and the invoices that name
-- it are then shown with it.
CREATE TABLE prices (
    stripe_price_id    text PRIMARY KEY,
    transform_quantity jsonb,  -- TransformQuantity; NULL where the price has none
    fetched_at         timestamptz NOT NULL DEFAULT now()
);

-- Ids that are named and not known. A row goes a while after its object is known and no invoice waits for it.
CREATE TABLE stripe_lookups (
    object_id  text COLLATE "C" PRIMARY KEY,
    object     text NOT NULL CHECK (object IN ('tax_rate', 'price')),
    attempts   integer NOT NULL DEFAULT 0,
    tried_at   timestamptz,
    last_error text,
    known_at   timestamptz,
    -- Stripe has no such object: it is not asked for again.
    missing    boolean NOT NULL DEFAULT false
);

-- Of the ids that an invoice names, those that were unknown when it was written. When one becomes known, what the invoice shows changes.
ALTER TABLE invoices ADD COLUMN lookups text[];
CREATE INDEX invoices_lookups ON invoices USING gin (lookups) WHERE lookups IS NOT NULL;
