-- A digest of invoices' displayed fields: their columns and lines, without bookkeeping, and without
-- new values that don't change the display: empty lists, a whole quantity, a date of issue equal to
-- the finalization's.
SELECT invoice.stripe_invoice_id AS id, md5(
    jsonb_strip_nulls(
        to_jsonb(invoice)
        - '{version,updated_at,event_created_at,event_rank,event_progress,event_id,reader_version,reader_event,lookups}'::text[]
        || jsonb_build_object(
            'taxes', nullif(taxes, '[]'), 'pretax_credits', nullif(pretax_credits, '[]'), 'customer_tax_ids', nullif(customer_tax_ids, '[]'),
            'custom_fields', nullif(custom_fields, '[]'), 'customer_tax_exempt', nullif(customer_tax_exempt, 'none'),
            'collection_method', nullif(collection_method, 'charge_automatically'), 'effective_at', nullif(effective_at, finalized_at))
    )::text
    || coalesce((
        SELECT string_agg(
            jsonb_strip_nulls(
                to_jsonb(line)
                || jsonb_build_object(
                    'quantity_decimal', nullif(quantity_decimal, quantity), 'taxes', nullif(line.taxes, '[]'),
                    'pretax_credits', nullif(line.pretax_credits, '[]'))
            )::text, '' ORDER BY position)
        FROM invoice_line_items line WHERE line.invoice_id = invoice.id), '')
) AS "digest!"
FROM invoices invoice WHERE invoice.stripe_invoice_id = ANY($1)
