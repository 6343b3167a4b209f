-- Compares the mirror with Stripe, so that staff see drift before customers do. A run stores its
-- position, so that a crash repeats a second of work. Discrepancies are stored with both sides.
CREATE TABLE reconciliations (
    id                    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- Id of the request that started it; repeating the request returns the same run.
    request               uuid UNIQUE,
    actor                 text NOT NULL,
    ip_address            text,
    user_agent            text,
    -- Scope: one customer or all, and objects that Stripe created in [window_from, window_to).
    customer_id           uuid REFERENCES customers,
    window_from           timestamptz,
    window_to             timestamptz NOT NULL,
    repair                boolean NOT NULL,
    -- A dry run's row is deleted when it ends.
    dry_run               boolean NOT NULL,
    -- In millionths.
    tolerance             bigint NOT NULL,
    status                text NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
    stage                 text NOT NULL,
    -- Position within the stage.
    position              jsonb,
    cancel_requested_at   timestamptz,
    checked_customers     bigint NOT NULL DEFAULT 0,
    checked_subscriptions bigint NOT NULL DEFAULT 0,
    checked_invoices      bigint NOT NULL DEFAULT 0,
    checked_metrics       bigint NOT NULL DEFAULT 0,
    rows_checked          bigint NOT NULL DEFAULT 0,
    -- An estimate.
    rows_total            bigint,
    -- Set when the run has ended.
    discrepancies         bigint NOT NULL DEFAULT 0,
    repaired              bigint NOT NULL DEFAULT 0,
    -- Minor units by currency.
    currency_totals       jsonb NOT NULL DEFAULT '{}',
    within_tolerance      boolean,
    error                 text,
    started_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    finished_at           timestamptz,
    -- Only a completed run has a verdict.
    CONSTRAINT reconciliations_verdict CHECK ((status = 'completed') = (within_tolerance IS NOT NULL))
);
CREATE INDEX reconciliations_started_at ON reconciliations (started_at DESC, id);
CREATE INDEX reconciliations_running ON reconciliations (started_at) WHERE status = 'running';

CREATE TABLE reconciliation_discrepancies (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reconciliation_id  uuid NOT NULL REFERENCES reconciliations ON DELETE CASCADE,
    -- Found again by a second comparison after a delay.
    confirmed          boolean NOT NULL DEFAULT false,
    kind               text NOT NULL CHECK (kind IN ('missing_locally', 'missing_in_stripe', 'amount', 'status', 'currency', 'usage_quantity',
                                                     'subscription_drift', 'missed_event')),
    object             text NOT NULL,
    object_id          text COLLATE "C" NOT NULL,
    customer_id        uuid REFERENCES customers,
    stripe_customer_id text,
    subscription_id    text,
    invoice_id         text,
    metric             text,
    field              text,
    -- Numbers or strings.
    internal_value     jsonb,
    stripe_value       jsonb,
    difference         bigint,
    -- In millionths of Stripe's value.
    share              bigint,
    -- Minor units of `currency` at stake.
    amount             bigint NOT NULL CHECK (amount >= 0),
    currency           text CHECK (currency ~ '^[a-z]{3}$'),
    within_tolerance   boolean NOT NULL,
    -- Both sides, field by field.
    fields             jsonb NOT NULL,
    repaired_at        timestamptz,
    repair_error       text,
    CONSTRAINT reconciliation_discrepancies_once UNIQUE (reconciliation_id, kind, object, object_id)
);
CREATE INDEX reconciliation_discrepancies_suspects ON reconciliation_discrepancies (reconciliation_id, object, object_id) WHERE NOT confirmed;
CREATE INDEX reconciliation_discrepancies_amount ON reconciliation_discrepancies (reconciliation_id, amount DESC, id);

-- Stripe objects already seen by a run, where Stripe lists in another order than the mirror.
-- Deleted at the end of the stage.
CREATE TABLE reconciliation_seen (
    reconciliation_id uuid NOT NULL REFERENCES reconciliations ON DELETE CASCADE,
    object_id         text COLLATE "C" NOT NULL,
    PRIMARY KEY (reconciliation_id, object_id)
);
