-- One date of issue for list, filter, order, page, PDF, CSV and API: `effective_at`, else
-- `finalized_at`, else (drafts) the creation date. Stripe finalizes about an hour after creation,
-- so the creation date can be in the previous month.
CREATE FUNCTION invoice_issued_at(status text, effective_at timestamptz, finalized_at timestamptz, created_at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN status = 'draft' THEN created_at ELSE coalesce(effective_at, finalized_at, created_at) END;

CREATE INDEX invoices_customer_issued ON invoices (customer_id, invoice_issued_at(status, effective_at, finalized_at, created_at) DESC, id)
    WHERE NOT deleted;
