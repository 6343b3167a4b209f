-- Writes snapshots of different invoices with their lines, unless newer ones exist; rows of an
-- older reader are replaced for the same event. The snapshot doesn't set amount_refunded, nor, for
-- a reread event, paid_out_of_band: see link.rs.
WITH incoming AS MATERIALIZED (
    SELECT json, jsonb_populate_record(NULL::invoices, json) AS row FROM jsonb_array_elements($1::jsonb) AS incoming(json)
), whole AS MATERIALIZED (
    -- Stripe sends the first ten lines with an invoice. A finalized invoice's lines don't change,
    -- so if all are stored by the current reader and include these, they stay.
    SELECT kept.stripe_invoice_id
    FROM incoming CROSS JOIN LATERAL (
        SELECT * FROM invoices WHERE stripe_invoice_id = (incoming.row).stripe_invoice_id OFFSET 0
    ) AS kept
    WHERE NOT (incoming.row).lines_complete AND kept.lines_complete AND kept.status <> 'draft'
      AND (kept.event_id = (incoming.row).event_id
           OR (incoming.row).reader_version = CASE WHEN kept.reader_event = kept.event_id THEN kept.reader_version ELSE 0 END)
      AND (kept.currency, kept.subtotal, kept.total) = ((incoming.row).currency, (incoming.row).subtotal, (incoming.row).total)
      AND jsonb_array_length(incoming.json -> 'lines') <= (SELECT count(*) FROM invoice_line_items item WHERE item.invoice_id = kept.id)
      AND NOT EXISTS (
          SELECT FROM jsonb_array_elements(incoming.json -> 'lines') AS line(element)
          WHERE NOT EXISTS (
              SELECT FROM invoice_line_items item
              WHERE item.invoice_id = kept.id AND item.stripe_line_id = element ->> 'stripe_line_id'
                AND item.amount = (element ->> 'amount')::bigint
              OFFSET 0))
), written AS (
    INSERT INTO invoices AS kept (
        customer_id, stripe_invoice_id, stripe_subscription_id, number, status, deleted, currency, subtotal, discount, tax,
        total, amount_due, amount_paid, amount_remaining, amount_overpaid, starting_balance, ending_balance,
        credit_notes_pre_payment, credit_notes_post_payment, paid_out_of_band, billing_reason, description, customer_name,
        customer_email, customer_address, customer_tax_id, period_start, period_end, created_at, due_date, finalized_at, paid_at,
        voided_at, marked_uncollectible_at, hosted_invoice_url, lines_complete, event_created_at, event_rank, event_progress,
        event_id, taxes, pretax_credits, shipping, customer_tax_ids, customer_tax_exempt, custom_fields, footer, effective_at,
        collection_method, lookups, reader_version, reader_event
    )
    SELECT
        (row).customer_id, (row).stripe_invoice_id, (row).stripe_subscription_id, (row).number, (row).status, (row).deleted,
        (row).currency, (row).subtotal, (row).discount, (row).tax, (row).total, (row).amount_due, (row).amount_paid,
        (row).amount_remaining, (row).amount_overpaid, (row).starting_balance, (row).ending_balance,
        (row).credit_notes_pre_payment, (row).credit_notes_post_payment, (row).paid_out_of_band, (row).billing_reason,
        (row).description, (row).customer_name, (row).customer_email, (row).customer_address, (row).customer_tax_id,
        (incoming.json #>> '{period,start}')::timestamptz, (incoming.json #>> '{period,end}')::timestamptz, (row).created_at,
        (row).due_date, (row).finalized_at, (row).paid_at, (row).voided_at, (row).marked_uncollectible_at,
        (row).hosted_invoice_url, (row).lines_complete, (row).event_created_at, (row).event_rank, (row).event_progress,
        (row).event_id, (row).taxes, (row).pretax_credits, (row).shipping, (row).customer_tax_ids, (row).customer_tax_exempt,
        (row).custom_fields, (row).footer, (row).effective_at, (row).collection_method, (row).lookups, (row).reader_version,
        (row).event_id
    FROM incoming
    ON CONFLICT (stripe_invoice_id) DO UPDATE SET
        customer_id = excluded.customer_id,
        stripe_subscription_id = excluded.stripe_subscription_id,
        number = excluded.number,
        status = excluded.status,
        deleted = excluded.deleted,
        currency = excluded.currency,
        subtotal = excluded.subtotal,
        discount = excluded.discount,
        tax = excluded.tax,
        total = excluded.total,
        amount_due = excluded.amount_due,
        amount_paid = excluded.amount_paid,
        amount_remaining = excluded.amount_remaining,
        amount_overpaid = excluded.amount_overpaid,
        starting_balance = excluded.starting_balance,
        ending_balance = excluded.ending_balance,
        credit_notes_pre_payment = excluded.credit_notes_pre_payment,
        credit_notes_post_payment = excluded.credit_notes_post_payment,
        paid_out_of_band = CASE WHEN kept.event_id = excluded.event_id THEN kept.paid_out_of_band ELSE excluded.paid_out_of_band END,
        billing_reason = excluded.billing_reason,
        description = excluded.description,
        customer_name = excluded.customer_name,
        customer_email = excluded.customer_email,
        customer_address = excluded.customer_address,
        customer_tax_id = excluded.customer_tax_id,
        period_start = excluded.period_start,
        period_end = excluded.period_end,
        created_at = excluded.created_at,
        due_date = excluded.due_date,
        finalized_at = excluded.finalized_at,
        paid_at = excluded.paid_at,
        voided_at = excluded.voided_at,
        marked_uncollectible_at = excluded.marked_uncollectible_at,
        hosted_invoice_url = excluded.hosted_invoice_url,
        lines_complete = excluded.lines_complete OR EXISTS (SELECT FROM whole WHERE whole.stripe_invoice_id = excluded.stripe_invoice_id),
        event_created_at = excluded.event_created_at,
        event_rank = excluded.event_rank,
        event_progress = excluded.event_progress,
        event_id = excluded.event_id,
        taxes = excluded.taxes,
        pretax_credits = excluded.pretax_credits,
        shipping = excluded.shipping,
        customer_tax_ids = excluded.customer_tax_ids,
        customer_tax_exempt = excluded.customer_tax_exempt,
        custom_fields = excluded.custom_fields,
        footer = excluded.footer,
        effective_at = excluded.effective_at,
        collection_method = excluded.collection_method,
        lookups = excluded.lookups,
        reader_version = excluded.reader_version,
        reader_event = excluded.reader_event,
        -- service::reread compares the displayed fields before and after, and increases the version
        -- itself.
        version = kept.version + (kept.event_id <> excluded.event_id)::integer,
        updated_at = now()
    WHERE (excluded.deleted, excluded.event_created_at) > (kept.deleted, kept.event_created_at)
       OR ($2 AND (excluded.deleted, excluded.event_created_at) = (kept.deleted, kept.event_created_at) AND excluded.event_id <> kept.event_id)
       OR (excluded.event_id = kept.event_id
           AND excluded.reader_version > CASE WHEN kept.reader_event = kept.event_id THEN kept.reader_version ELSE 0 END)
    RETURNING id, stripe_invoice_id
), completing AS MATERIALIZED (
    -- An older snapshot may have all lines of a finalized invoice whose newest snapshot has only
    -- the first ten: then it provides the lines, so that the order of arrival doesn't matter.
    SELECT kept.id
    FROM incoming CROSS JOIN LATERAL (
        -- Only by the key: with a partial index's condition, an empty table's plan would read that
        -- whole index.
        SELECT * FROM invoices WHERE stripe_invoice_id = (incoming.row).stripe_invoice_id OFFSET 0
    ) AS kept
    WHERE NOT kept.lines_complete AND NOT kept.deleted AND (incoming.row).lines_complete AND (incoming.row).status <> 'draft' AND kept.status <> 'draft'
      AND (kept.currency, kept.subtotal, kept.total) = ((incoming.row).currency, (incoming.row).subtotal, (incoming.row).total)
      AND NOT EXISTS (SELECT FROM written WHERE written.id = kept.id)
      AND NOT EXISTS (
          SELECT FROM invoice_line_items item
          WHERE item.invoice_id = kept.id AND NOT EXISTS (
              SELECT FROM jsonb_array_elements(incoming.json -> 'lines') AS line(element)
              WHERE element ->> 'stripe_line_id' = item.stripe_line_id AND (element ->> 'amount')::bigint = item.amount
              OFFSET 0))
), completed AS (
    UPDATE invoices SET lines_complete = true, version = version + 1, updated_at = now()
    WHERE id = ANY (ARRAY(SELECT id FROM completing))
    RETURNING id, stripe_invoice_id
), changed AS (
    SELECT id, stripe_invoice_id FROM written UNION ALL SELECT id, stripe_invoice_id FROM completed
), line AS (
    SELECT changed.id AS invoice_id, element, (position - 1)::integer AS position, jsonb_populate_record(NULL::invoice_line_items, element) AS row
    FROM changed JOIN incoming ON (incoming.row).stripe_invoice_id = changed.stripe_invoice_id,
         jsonb_array_elements(incoming.json -> 'lines') WITH ORDINALITY AS line(element, position)
    WHERE NOT EXISTS (SELECT FROM whole WHERE whole.stripe_invoice_id = changed.stripe_invoice_id)
), kept_lines AS (
    INSERT INTO invoice_line_items AS kept
        (invoice_id, position, stripe_line_id, description, quantity, unit_amount, amount, discount, tax, proration, price_id, period_start, period_end,
         quantity_decimal, taxes, pretax_credits, transform_quantity)
    SELECT invoice_id, position, (row).stripe_line_id, (row).description, (row).quantity, (row).unit_amount, (row).amount, (row).discount, (row).tax,
        (row).proration, (row).price_id, (element #>> '{period,start}')::timestamptz, (element #>> '{period,end}')::timestamptz,
        (row).quantity_decimal, (row).taxes, (row).pretax_credits,
        coalesce((row).transform_quantity, (SELECT price.transform_quantity FROM prices price WHERE price.stripe_price_id = (row).price_id))
    FROM line
    ON CONFLICT (invoice_id, position) DO UPDATE SET
        stripe_line_id = excluded.stripe_line_id, description = excluded.description, quantity = excluded.quantity,
        unit_amount = excluded.unit_amount, amount = excluded.amount, discount = excluded.discount, tax = excluded.tax,
        proration = excluded.proration, price_id = excluded.price_id, period_start = excluded.period_start, period_end = excluded.period_end,
        quantity_decimal = excluded.quantity_decimal, taxes = excluded.taxes, pretax_credits = excluded.pretax_credits,
        transform_quantity = excluded.transform_quantity
), gone AS (
    DELETE FROM invoice_line_items item USING changed
    -- An array, so that the table is never read whole: see link.rs.
    WHERE item.invoice_id = ANY (ARRAY(SELECT id FROM changed)) AND item.invoice_id = changed.id
      AND item.position >= (SELECT count(*) FROM line WHERE line.invoice_id = changed.id)
      AND NOT EXISTS (SELECT FROM whole WHERE whole.stripe_invoice_id = changed.stripe_invoice_id)
)
SELECT stripe_invoice_id AS "stripe_invoice_id!" FROM changed
