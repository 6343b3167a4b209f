-- Writes snapshots of different invoices with their lines, unless newer ones are there. amount_refunded is not the snapshot's to say: see link.rs.
WITH told AS MATERIALIZED (
    SELECT json, jsonb_populate_record(NULL::invoices, json) AS row FROM jsonb_array_elements($1::jsonb) AS told(json)
), written AS (
    INSERT INTO invoices AS kept (
        customer_id, stripe_invoice_id, stripe_subscription_id, number, status, deleted, currency, subtotal, discount, tax,
        total, amount_due, amount_paid, amount_remaining, amount_overpaid, starting_balance, ending_balance,
        credit_notes_pre_payment, credit_notes_post_payment, paid_out_of_band, billing_reason, description, customer_name,
        customer_email, customer_address, customer_tax_id, period_start, period_end, created_at, due_date, finalized_at, paid_at,
        voided_at, marked_uncollectible_at, hosted_invoice_url, lines_complete, event_created_at, event_rank, event_progress,
        event_id
    )
    SELECT
        (row).customer_id, (row).stripe_invoice_id, (row).stripe_subscription_id, (row).number, (row).status, (row).deleted,
        (row).currency, (row).subtotal, (row).discount, (row).tax, (row).total, (row).amount_due, (row).amount_paid,
        (row).amount_remaining, (row).amount_overpaid, (row).starting_balance, (row).ending_balance,
        (row).credit_notes_pre_payment, (row).credit_notes_post_payment, (row).paid_out_of_band, (row).billing_reason,
        (row).description, (row).customer_name, (row).customer_email, (row).customer_address, (row).customer_tax_id,
        (told.json #>> '{period,start}')::timestamptz, (told.json #>> '{period,end}')::timestamptz, (row).created_at,
        (row).due_date, (row).finalized_at, (row).paid_at, (row).voided_at, (row).marked_uncollectible_at,
        (row).hosted_invoice_url, (row).lines_complete, (row).event_created_at, (row).event_rank, (row).event_progress,
        (row).event_id
    FROM told
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
        paid_out_of_band = excluded.paid_out_of_band,
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
        lines_complete = excluded.lines_complete,
        event_created_at = excluded.event_created_at,
        event_rank = excluded.event_rank,
        event_progress = excluded.event_progress,
        event_id = excluded.event_id,
        version = kept.version + 1,
        updated_at = now()
    WHERE (excluded.deleted, excluded.event_created_at) > (kept.deleted, kept.event_created_at)
       OR ($2 AND (excluded.deleted, excluded.event_created_at) = (kept.deleted, kept.event_created_at) AND excluded.event_id <> kept.event_id)
    RETURNING id, stripe_invoice_id
), line AS (
    SELECT written.id AS invoice_id, element, (position - 1)::integer AS position, jsonb_populate_record(NULL::invoice_line_items, element) AS row
    FROM written JOIN told ON (told.row).stripe_invoice_id = written.stripe_invoice_id,
         jsonb_array_elements(told.json -> 'lines') WITH ORDINALITY AS line(element, position)
), kept_lines AS (
    INSERT INTO invoice_line_items AS kept
        (invoice_id, position, stripe_line_id, description, quantity, unit_amount, amount, discount, tax, proration, price_id, period_start, period_end)
    SELECT invoice_id, position, (row).stripe_line_id, (row).description, (row).quantity, (row).unit_amount, (row).amount, (row).discount, (row).tax,
        (row).proration, (row).price_id, (element #>> '{period,start}')::timestamptz, (element #>> '{period,end}')::timestamptz
    FROM line
    ON CONFLICT (invoice_id, position) DO UPDATE SET
        stripe_line_id = excluded.stripe_line_id, description = excluded.description, quantity = excluded.quantity,
        unit_amount = excluded.unit_amount, amount = excluded.amount, discount = excluded.discount, tax = excluded.tax,
        proration = excluded.proration, price_id = excluded.price_id, period_start = excluded.period_start, period_end = excluded.period_end
), gone AS (
    DELETE FROM invoice_line_items item USING written
    -- The array, so that the table is never read whole: see link.rs.
    WHERE item.invoice_id = ANY (ARRAY(SELECT id FROM written)) AND item.invoice_id = written.id
      AND item.position >= (SELECT count(*) FROM line WHERE line.invoice_id = written.id)
)
SELECT stripe_invoice_id FROM written
