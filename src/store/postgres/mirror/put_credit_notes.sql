-- Writes snapshots of different credit notes, unless newer ones exist; rows of an older reader are
-- replaced for the same event. The invoice's own snapshot has their effect on it. A credit note's
-- lines never change, so a page of ten doesn't replace all.
WITH incoming AS MATERIALIZED (
    SELECT json, jsonb_populate_record(NULL::credit_notes, json) AS row FROM jsonb_array_elements($1::jsonb) AS incoming(json)
)
INSERT INTO credit_notes AS kept (
    stripe_credit_note_id, customer_id, stripe_invoice_id, number, status, type, currency, amount, subtotal, tax, reason,
    memo, pdf_url, created_at, effective_at, voided_at, event_created_at, event_rank, event_progress, event_id,
    pre_payment_amount, post_payment_amount, discount, taxes, lines, lines_complete, reader_version, reader_event
)
SELECT
    (row).stripe_credit_note_id, (row).customer_id, (row).stripe_invoice_id, (row).number, (row).status, (row).type,
    (row).currency, (row).amount, (row).subtotal, (row).tax, (row).reason, (row).memo, (row).pdf_url, (row).created_at,
    (row).effective_at, (row).voided_at, (row).event_created_at, (row).event_rank, (row).event_progress, (row).event_id,
    (row).pre_payment_amount, (row).post_payment_amount, (row).discount, (row).taxes, (row).lines, (row).lines_complete,
    (row).reader_version, (row).event_id
FROM incoming
ON CONFLICT (stripe_credit_note_id) DO UPDATE SET
    customer_id = excluded.customer_id, stripe_invoice_id = excluded.stripe_invoice_id, number = excluded.number,
    status = excluded.status, type = excluded.type, currency = excluded.currency, amount = excluded.amount,
    subtotal = excluded.subtotal, tax = excluded.tax, reason = excluded.reason, memo = excluded.memo,
    pdf_url = excluded.pdf_url, created_at = excluded.created_at, effective_at = excluded.effective_at,
    voided_at = excluded.voided_at, event_created_at = excluded.event_created_at, event_rank = excluded.event_rank,
    event_progress = excluded.event_progress, event_id = excluded.event_id, pre_payment_amount = excluded.pre_payment_amount,
    post_payment_amount = excluded.post_payment_amount, discount = excluded.discount, taxes = excluded.taxes,
    lines = CASE WHEN kept.lines_complete AND NOT excluded.lines_complete THEN coalesce(kept.lines, excluded.lines) ELSE excluded.lines END,
    lines_complete = excluded.lines_complete OR (kept.lines_complete AND kept.lines IS NOT NULL),
    reader_version = excluded.reader_version, reader_event = excluded.reader_event
WHERE excluded.event_created_at > kept.event_created_at
   OR ($2 AND excluded.event_created_at = kept.event_created_at AND excluded.event_id <> kept.event_id)
   OR (excluded.event_id = kept.event_id
       AND excluded.reader_version > CASE WHEN kept.reader_event = kept.event_id THEN kept.reader_version ELSE 0 END)
RETURNING stripe_credit_note_id
