-- Deliveries are applied in batches: what hangs together is looked up for many objects at once, and a payment by its charge too.
CREATE INDEX invoice_payments_charge ON invoice_payments (charge) WHERE charge IS NOT NULL;

-- What a line's discounts and taxes come to, in minor units of the invoice's currency. Lines mirrored before say nothing of them.
ALTER TABLE invoice_line_items
    ADD COLUMN discount bigint NOT NULL DEFAULT 0,
    ADD COLUMN tax      bigint NOT NULL DEFAULT 0;
