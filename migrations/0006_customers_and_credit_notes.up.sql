-- Mirrors Stripe customers (address, preferred locale, balance) and credit notes. An event that
-- arrived before its customer was known is applied once the customer is known.
ALTER TABLE customers
    ADD COLUMN address          jsonb,
    -- Only set when Stripe includes them: the customer in an event usually has no tax ids.
    ADD COLUMN tax_ids          jsonb,
    ADD COLUMN preferred_locale text,
    -- Minor units of `currency`; negative is credit.
    ADD COLUMN balance          bigint NOT NULL DEFAULT 0,
    -- Deleted in Stripe. The row stays, because its invoices remain and are still owed.
    ADD COLUMN deleted          boolean NOT NULL DEFAULT false,
    -- Values entered on this platform, used where the Stripe customer has none. They are apart from
    -- name, email and currency, which must follow from the newest snapshot alone.
    ADD COLUMN added_name       text,
    ADD COLUMN added_email      text,
    ADD COLUMN added_currency   text CHECK (added_currency ~ '^[a-z]{3}$'),
    -- NULL until the first Stripe event about the customer.
    ADD COLUMN event_created_at timestamptz,
    ADD COLUMN event_rank       smallint,
    ADD COLUMN event_progress   bigint,
    ADD COLUMN event_id         text COLLATE "C";
UPDATE customers SET added_name = name, added_email = email, added_currency = currency;

-- The unknown Stripe customer because of which the event was ignored.
ALTER TABLE stripe_webhook_events ADD COLUMN awaits_customer text;
UPDATE stripe_webhook_events SET awaits_customer = split_part(last_error, ' ', 1)
WHERE status = 'ignored' AND last_error LIKE '% is not a customer of this platform';
-- Queues ignored events that can now be applied.
UPDATE stripe_webhook_events SET status = 'received', attempts = 0, last_error = NULL, processed_at = NULL, awaits_customer = NULL
WHERE status = 'ignored'
  AND (awaits_customer IN (SELECT stripe_customer_id FROM customers)
       OR event_type IN ('customer.created', 'customer.updated', 'customer.deleted', 'credit_note.created', 'credit_note.updated', 'credit_note.voided'));
CREATE INDEX stripe_webhook_events_awaits_customer ON stripe_webhook_events (awaits_customer) WHERE awaits_customer IS NOT NULL;

CREATE TABLE credit_notes (
    stripe_credit_note_id text PRIMARY KEY,
    customer_id       uuid NOT NULL REFERENCES customers,
    stripe_invoice_id text NOT NULL,
    number            text,
    status            text NOT NULL CHECK (status IN ('issued', 'void')),
    -- pre_payment, post_payment or mixed: whether it reduced the amount due or refunds a payment.
    type              text NOT NULL,
    currency          text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    -- Minor units of `currency`.
    amount            bigint NOT NULL,
    subtotal          bigint NOT NULL,
    tax               bigint NOT NULL DEFAULT 0,
    reason            text,
    memo              text,
    pdf_url           text,
    created_at        timestamptz NOT NULL,
    effective_at      timestamptz,
    voided_at         timestamptz,
    event_created_at  timestamptz NOT NULL,
    event_rank        smallint NOT NULL,
    event_progress    bigint NOT NULL DEFAULT 0,
    event_id          text COLLATE "C" NOT NULL
);
CREATE INDEX credit_notes_invoice ON credit_notes (stripe_invoice_id);
CREATE INDEX credit_notes_customer ON credit_notes (customer_id);
