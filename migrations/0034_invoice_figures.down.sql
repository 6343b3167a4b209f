DROP TABLE tax_rates;
ALTER TABLE credit_notes
    DROP COLUMN lines, DROP COLUMN taxes, DROP COLUMN discount, DROP COLUMN post_payment_amount, DROP COLUMN pre_payment_amount;
ALTER TABLE invoice_line_items
    DROP COLUMN transform_quantity, DROP COLUMN pretax_credits, DROP COLUMN taxes, DROP COLUMN quantity_decimal;
ALTER TABLE invoices
    DROP COLUMN collection_method, DROP COLUMN effective_at, DROP COLUMN footer, DROP COLUMN custom_fields, DROP COLUMN customer_tax_exempt,
    DROP COLUMN customer_tax_ids, DROP COLUMN shipping, DROP COLUMN pretax_credits, DROP COLUMN taxes;
