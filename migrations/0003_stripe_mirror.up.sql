-- Every event with a valid Stripe signature, and its processing status.
CREATE TABLE stripe_webhook_events (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stripe_event_id text NOT NULL,
    event_type      text NOT NULL,
    status          text NOT NULL CHECK (status IN ('received', 'applied', 'ignored', 'failed', 'dead')),
    attempts        integer NOT NULL DEFAULT 0,
    last_error      text,
    -- The exact request body: the signature covers it, and every application and replay parses it.
    payload         text NOT NULL,
    api_version     text,
    livemode        boolean,
    -- Stripe's id of the event's object, and of the invoice that the object belongs to, if any.
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
-- The health check and the metrics count these; settled events are not in the index.
CREATE INDEX stripe_webhook_events_unsettled ON stripe_webhook_events (status) WHERE status IN ('received', 'failed', 'dead');
CREATE INDEX stripe_webhook_events_invoice ON stripe_webhook_events (stripe_invoice_id) WHERE stripe_invoice_id IS NOT NULL;
CREATE INDEX stripe_webhook_events_object ON stripe_webhook_events (object_id) WHERE object_id IS NOT NULL;

-- The mirror of Stripe's objects. Each row is the newest snapshot by (deleted, event_created_at,
-- event_rank, event_progress, event_id); domain::mirror explains the order. Ids compare bytewise
-- (COLLATE "C"), as they do in Rust.
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
    -- The customer's details on the finalized invoice, not the current ones.
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
    -- Increases with every change. Caches of rendered documents compare it.
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
    -- Stripe's unit_amount_decimal, in minor units. Package prices need its fractions.
    unit_amount    text,
    amount         bigint NOT NULL,
    proration      boolean NOT NULL DEFAULT false,
    price_id       text,
    period_start   timestamptz,
    period_end     timestamptz,
    PRIMARY KEY (invoice_id, position)
);

-- A payment of an invoice: Stripe's InvoicePayment, or the payment fields of the invoice in older
-- API versions.
CREATE TABLE invoice_payments (
    stripe_payment_id text PRIMARY KEY,
    stripe_invoice_id text NOT NULL,
    -- InvoicePayment has no customer. It is the invoice's customer, and NULL until the invoice
    -- arrives.
    customer_id       uuid REFERENCES customers,
    -- Derived from an invoice of an older API version. Stripe's InvoicePayment for the same payment
    -- replaces it.
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
    -- Older refunds have no customer. It is the charge's customer, and NULL until the charge
    -- arrives.
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
