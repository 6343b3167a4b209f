-- Every event that Stripe signed, as it came, and what became of it.
CREATE TABLE stripe_webhook_events (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stripe_event_id text NOT NULL,
    event_type      text NOT NULL,
    status          text NOT NULL CHECK (status IN ('received', 'applied', 'ignored', 'failed', 'dead')),
    attempts        integer NOT NULL DEFAULT 0,
    last_error      text,
    -- The body byte for byte: what was signed, and what every application and replay reads.
    payload         text NOT NULL,
    api_version     text,
    livemode        boolean,
    -- Stripe's id of the object that the event is about, and the invoice that it belongs to, when it does.
    object_id       text,
    stripe_invoice_id text,
    customer_id     uuid REFERENCES customers,
    stripe_created_at timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    processed_at    timestamptz,
    CONSTRAINT stripe_webhook_events_stripe_event_id_key UNIQUE (stripe_event_id)
);
CREATE INDEX stripe_webhook_events_created_at ON stripe_webhook_events (created_at DESC);
CREATE INDEX stripe_webhook_events_waiting ON stripe_webhook_events (id) WHERE status IN ('received', 'failed');
-- What the health check and the metrics count, however many settled events there are.
CREATE INDEX stripe_webhook_events_unsettled ON stripe_webhook_events (status) WHERE status IN ('received', 'failed', 'dead');
CREATE INDEX stripe_webhook_events_invoice ON stripe_webhook_events (stripe_invoice_id) WHERE stripe_invoice_id IS NOT NULL;
CREATE INDEX stripe_webhook_events_object ON stripe_webhook_events (object_id) WHERE object_id IS NOT NULL;

-- The mirror. Each row is the newest snapshot that Stripe sent, by (deleted, event_created_at, event_rank, event_progress,
-- event_id); see domain::mirror for why that order and no other. Ids compare by their bytes ("C"), as they do there.
CREATE TABLE subscriptions (
    id                     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id            uuid NOT NULL REFERENCES customers,
    stripe_subscription_id text NOT NULL,
    status                 text NOT NULL,
    plan_type              text CHECK (plan_type IN ('starter', 'growth', 'scale', 'enterprise')),
    currency               text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    current_period_start   timestamptz,
    current_period_end     timestamptz,
    cancel_at_period_end   boolean NOT NULL DEFAULT false,
    cancel_at              timestamptz,
    canceled_at            timestamptz,
    ended_at               timestamptz,
    created_at             timestamptz NOT NULL,
    deleted                boolean NOT NULL DEFAULT false,
    event_created_at       timestamptz NOT NULL,
    event_rank             smallint NOT NULL,
    event_progress         bigint NOT NULL DEFAULT 0,
    event_id               text COLLATE "C" NOT NULL,
    updated_at             timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT subscriptions_stripe_subscription_id_key UNIQUE (stripe_subscription_id)
);
CREATE INDEX subscriptions_customer ON subscriptions (customer_id);

CREATE TABLE subscription_items (
    subscription_id uuid NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
    stripe_item_id  text NOT NULL,
    price_id        text,
    lookup_key      text,
    quantity        bigint,
    PRIMARY KEY (subscription_id, stripe_item_id)
);

CREATE TABLE invoices (
    id                     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id            uuid NOT NULL REFERENCES customers,
    stripe_invoice_id      text NOT NULL,
    stripe_subscription_id text,
    number                 text,
    status                 text NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'void', 'uncollectible')),
    deleted                boolean NOT NULL DEFAULT false,
    currency               text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    -- Minor units of `currency`.
    subtotal               bigint NOT NULL,
    discount               bigint NOT NULL DEFAULT 0,
    tax                    bigint NOT NULL DEFAULT 0,
    total                  bigint NOT NULL,
    amount_due             bigint NOT NULL,
    amount_paid            bigint NOT NULL,
    amount_remaining       bigint NOT NULL,
    amount_overpaid        bigint NOT NULL DEFAULT 0,
    amount_refunded        bigint NOT NULL DEFAULT 0,
    starting_balance       bigint NOT NULL DEFAULT 0,
    ending_balance         bigint,
    credit_notes_pre_payment  bigint NOT NULL DEFAULT 0,
    credit_notes_post_payment bigint NOT NULL DEFAULT 0,
    paid_out_of_band       boolean NOT NULL DEFAULT false,
    billing_reason         text,
    description            text,
    -- As it stood on the invoice when it was finalised, not as the customer is called today.
    customer_name          text,
    customer_email         text,
    customer_address       jsonb,
    customer_tax_id        text,
    period_start           timestamptz,
    period_end             timestamptz,
    created_at             timestamptz NOT NULL,
    due_date               timestamptz,
    finalized_at           timestamptz,
    paid_at                timestamptz,
    voided_at              timestamptz,
    marked_uncollectible_at timestamptz,
    hosted_invoice_url     text,
    lines_complete         boolean NOT NULL DEFAULT true,
    event_created_at       timestamptz NOT NULL,
    event_rank             smallint NOT NULL,
    event_progress         bigint NOT NULL DEFAULT 0,
    event_id               text COLLATE "C" NOT NULL,
    -- Grows with every change, for caches of what is rendered from it.
    version                bigint NOT NULL DEFAULT 1,
    updated_at             timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT invoices_stripe_invoice_id_key UNIQUE (stripe_invoice_id)
);
CREATE INDEX invoices_customer_created ON invoices (customer_id, created_at DESC, id);
CREATE INDEX invoices_customer_status ON invoices (customer_id, status, created_at DESC);

CREATE TABLE invoice_line_items (
    invoice_id     uuid NOT NULL REFERENCES invoices ON DELETE CASCADE,
    position       integer NOT NULL,
    stripe_line_id text NOT NULL,
    description    text NOT NULL,
    quantity       bigint,
    -- Stripe's unit_amount_decimal: minor units, finer than one where a package price is.
    unit_amount    text,
    amount         bigint NOT NULL,
    proration      boolean NOT NULL DEFAULT false,
    price_id       text,
    period_start   timestamptz,
    period_end     timestamptz,
    PRIMARY KEY (invoice_id, position)
);

-- A payment towards an invoice: Stripe's InvoicePayment, or what older API versions said of it on the invoice itself.
CREATE TABLE invoice_payments (
    stripe_payment_id text PRIMARY KEY,
    stripe_invoice_id text NOT NULL,
    -- Stripe names none on the payment: it is the invoice's, and unknown until that has come.
    customer_id       uuid REFERENCES customers,
    -- Read off an invoice of an older API version; gives way to Stripe's own InvoicePayment of the same payment.
    from_invoice      boolean NOT NULL DEFAULT false,
    payment_intent    text,
    charge            text,
    amount            bigint NOT NULL,
    status            text NOT NULL,
    method            text,
    at                timestamptz NOT NULL,
    event_created_at  timestamptz NOT NULL,
    event_rank        smallint NOT NULL,
    event_progress    bigint NOT NULL DEFAULT 0,
    event_id          text COLLATE "C" NOT NULL
);
CREATE INDEX invoice_payments_invoice ON invoice_payments (stripe_invoice_id);
CREATE INDEX invoice_payments_intent ON invoice_payments (payment_intent);

CREATE TABLE charges (
    stripe_charge_id  text PRIMARY KEY,
    customer_id       uuid NOT NULL REFERENCES customers,
    stripe_invoice_id text,
    payment_intent    text,
    currency          text NOT NULL,
    amount            bigint NOT NULL,
    amount_refunded   bigint NOT NULL,
    status            text NOT NULL,
    method            text,
    created_at        timestamptz NOT NULL,
    event_created_at  timestamptz NOT NULL,
    event_rank        smallint NOT NULL,
    event_progress    bigint NOT NULL DEFAULT 0,
    event_id          text COLLATE "C" NOT NULL
);
CREATE INDEX charges_invoice ON charges (stripe_invoice_id);
CREATE INDEX charges_intent ON charges (payment_intent);

CREATE TABLE refunds (
    stripe_refund_id text PRIMARY KEY,
    -- Older refunds name none: it is the charge's, and unknown until that has come.
    customer_id      uuid REFERENCES customers,
    stripe_charge_id text,
    payment_intent   text,
    currency         text NOT NULL,
    amount           bigint NOT NULL,
    status           text NOT NULL,
    reason           text,
    created_at       timestamptz NOT NULL,
    event_created_at timestamptz NOT NULL,
    event_rank       smallint NOT NULL,
    event_progress   bigint NOT NULL DEFAULT 0,
    event_id         text COLLATE "C" NOT NULL
);
CREATE INDEX refunds_charge ON refunds (stripe_charge_id);
CREATE INDEX refunds_intent ON refunds (payment_intent);
CREATE INDEX refunds_without_customer ON refunds (stripe_refund_id) WHERE customer_id IS NULL;
