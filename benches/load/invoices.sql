-- Copies the demo publisher's invoices, with their lines, three times, a year apart, so that the
-- first page of its list is full.
WITH copied AS (
    SELECT original, gen_random_uuid() AS id, years
    FROM customers JOIN invoices original ON original.customer_id = customers.id CROSS JOIN generate_series(1, 3) years
    WHERE customers.id = (SELECT customer_id FROM users WHERE email = 'publisher@demo.test')
), added AS (
    INSERT INTO invoices
    SELECT (jsonb_populate_record(original, jsonb_build_object(
        'id', id, 'stripe_invoice_id', (original).stripe_invoice_id || years, 'number', (original).number || '-' || years,
        'created_at', (original).created_at - years * interval '1 year', 'finalized_at', (original).finalized_at - years * interval '1 year',
        'effective_at', (original).effective_at - years * interval '1 year'))).*
    FROM copied
    RETURNING id
)
INSERT INTO invoice_line_items
SELECT (jsonb_populate_record(line, jsonb_build_object('invoice_id', copied.id, 'stripe_line_id', line.stripe_line_id || years))).*
FROM copied JOIN added ON added.id = copied.id JOIN invoice_line_items line ON line.invoice_id = (original).id;
