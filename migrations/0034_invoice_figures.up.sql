-- Fields that an invoice's totals and PDF need and the mirror lacked: taxes by rate, pre-tax
-- credits, shipping, exact quantities, tax ids with their type, the date of issue, and lines of
-- credit notes. NULL means that the row is older than this migration and its payload has not been
-- parsed again. The jsonb columns have the shapes of the types in `domain::invoice` (amounts in
-- minor units).
ALTER TABLE invoices
    ADD COLUMN taxes               jsonb,  -- [TaxAmount], over the whole invoice
    ADD COLUMN pretax_credits      jsonb,  -- [PretaxCredit], over the whole invoice
    ADD COLUMN shipping            jsonb,  -- ShippingCost; NULL also where the invoice has none
    ADD COLUMN customer_tax_ids    jsonb,  -- [TaxId]
    ADD COLUMN customer_tax_exempt text,   -- none, exempt, reverse
    ADD COLUMN custom_fields       jsonb,  -- [CustomField]
    ADD COLUMN footer              text,
    ADD COLUMN effective_at        timestamptz,
    ADD COLUMN collection_method   text;   -- charge_automatically, send_invoice

ALTER TABLE invoice_line_items
    ADD COLUMN quantity_decimal    numeric, -- exact; `quantity` is cut to a whole number
    ADD COLUMN taxes               jsonb,   -- [TaxAmount]
    ADD COLUMN pretax_credits      jsonb,   -- [PretaxCredit]
    ADD COLUMN transform_quantity  jsonb;   -- TransformQuantity, from the price

ALTER TABLE credit_notes
    ADD COLUMN pre_payment_amount  bigint,
    ADD COLUMN post_payment_amount bigint,
    ADD COLUMN discount            bigint,
    ADD COLUMN taxes               jsonb,   -- [TaxAmount]
    ADD COLUMN lines               jsonb;   -- [CreditNoteLine]

-- Events since API version 2025-03-31.basil contain only the id of a tax rate, so each rate is
-- fetched once.
CREATE TABLE tax_rates (
    stripe_tax_rate_id text PRIMARY KEY,
    display_name       text NOT NULL,
    percentage         numeric,
    inclusive          boolean NOT NULL,
    tax_type           text,
    country            text,
    state              text,
    jurisdiction       text,
    fetched_at         timestamptz NOT NULL DEFAULT now()
);
