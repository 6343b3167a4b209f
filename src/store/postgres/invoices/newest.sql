-- A page of all of a customer's invoices, newest first, each with their number. The general
-- statement in invoices.rs does the same with filters and orders, but PostgreSQL plans it for each
-- execution, which takes longer than the execution; this plan is cached.
SELECT invoices.id, stripe_invoice_id, number, status, invoices.currency, total, amount_due, amount_paid, amount_remaining, amount_refunded,
       credit_notes_pre_payment, credit_notes_post_payment, invoices.created_at, due_date, paid_at,
       CASE WHEN status <> 'draft' THEN invoice_issued_at(status, effective_at, finalized_at, created_at) END AS issued_at,
       CASE WHEN NOT lines_complete THEN NULL WHEN lines > 0 THEN cover_start ELSE period_start END AS period_start,
       CASE WHEN NOT lines_complete THEN NULL WHEN lines > 0 THEN cover_end ELSE period_end END AS period_end,
       (SELECT count(*) FROM invoices WHERE customer_id = $1 AND NOT deleted) AS "matches!"
FROM invoices CROSS JOIN LATERAL (
    SELECT count(*) AS lines, min(item.period_start) AS cover_start, max(item.period_end) AS cover_end
    FROM invoice_line_items item WHERE item.invoice_id = invoices.id) cover
WHERE customer_id = $1 AND NOT deleted
ORDER BY invoice_issued_at(status, effective_at, finalized_at, created_at) DESC, invoices.id
LIMIT $2 OFFSET $3
