-- Copies the demo publisher's invoices, with their lines: three times for itself, a year apart, so
-- that the first page of its list is full, and once for each of a hundred other customers.
CREATE TEMPORARY TABLE copied AS
WITH others AS (
    INSERT INTO customers (stripe_customer_id, name) SELECT 'cus_bench' || n, 'Customer ' || n FROM generate_series(1, 100) n RETURNING id
), publisher AS (
    SELECT customer_id AS id FROM users WHERE email = 'publisher@demo.test'
), owners AS (
    SELECT id AS owner, years, years::text AS suffix FROM publisher CROSS JOIN generate_series(1, 3) years
    UNION ALL SELECT id, 0, left(id::text, 8) FROM others
)
SELECT invoices AS original, gen_random_uuid() AS id, owner, suffix, make_interval(years => years) AS earlier
FROM owners CROSS JOIN invoices WHERE customer_id = (SELECT id FROM publisher);

INSERT INTO invoices
SELECT (jsonb_populate_record(original, jsonb_build_object(
    'id', id, 'customer_id', owner, 'stripe_invoice_id', (original).stripe_invoice_id || suffix, 'number', (original).number || '-' || suffix,
    'created_at', (original).created_at - earlier, 'finalized_at', (original).finalized_at - earlier,
    'effective_at', (original).effective_at - earlier))).*
FROM copied;

INSERT INTO invoice_line_items
SELECT (jsonb_populate_record(line, jsonb_build_object('invoice_id', copied.id, 'stripe_line_id', line.stripe_line_id || suffix))).*
FROM copied JOIN invoice_line_items line ON line.invoice_id = (original).id;

-- The job that compares usage with alert thresholds has just checked all of them.
INSERT INTO usage_alert_checks (customer_id, checked_at) SELECT DISTINCT owner, now() FROM copied ON CONFLICT DO NOTHING;
