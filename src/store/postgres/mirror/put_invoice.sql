-- amount_refunded is not the snapshot's to say: see link.rs.
INSERT INTO invoices AS kept (
    customer_id, stripe_invoice_id, stripe_subscription_id, number, status, deleted, currency, subtotal, discount, tax, total,
    amount_due, amount_paid, amount_remaining, amount_overpaid, starting_balance, ending_balance, credit_notes_pre_payment,
    credit_notes_post_payment, paid_out_of_band, billing_reason, description, customer_name, customer_email, customer_address,
    customer_tax_id, period_start, period_end, created_at, due_date, finalized_at, paid_at, voided_at, marked_uncollectible_at,
    hosted_invoice_url, lines_complete, event_created_at, event_rank, event_progress, event_id
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28,
    $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40
)
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
WHERE (excluded.deleted, excluded.event_created_at, excluded.event_rank, excluded.event_progress, excluded.event_id)
    > (kept.deleted, kept.event_created_at, kept.event_rank, kept.event_progress, kept.event_id)
RETURNING id
