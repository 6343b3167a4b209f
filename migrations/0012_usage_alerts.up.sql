-- Customers are told when their usage reaches a threshold, once per period and threshold, and manage by themselves who is told, who is
-- written to about bills, and which machines may send.
CREATE TABLE usage_alert_settings (
    customer_id uuid PRIMARY KEY REFERENCES customers,
    -- As `PUT /billing/alerts` takes it. Whoever has no row is told at the usual thresholds.
    settings    jsonb NOT NULL,
    updated_at  timestamptz NOT NULL
);

-- What fired. The key is what makes it fire once, however many processes look at the same figures.
CREATE TABLE usage_alerts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id     uuid NOT NULL REFERENCES customers,
    period_start    timestamptz NOT NULL,
    period_end      timestamptz NOT NULL CHECK (period_end > period_start),
    metric          text NOT NULL CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes')),
    kind            text NOT NULL CHECK (kind IN ('percent', 'cost', 'cap')),
    -- Percent of what is included, minor units of `currency`, or a quantity, by `kind`.
    threshold       bigint NOT NULL,
    -- The figures when it fired; `cost` in minor units of `currency`. Nothing is included without a subscription.
    used            bigint NOT NULL,
    included        bigint,
    cost            bigint NOT NULL,
    currency        text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    fired_at        timestamptz NOT NULL,
    -- When the last of its mails was handed over, and to whom one was handed by then.
    notified_at     timestamptz,
    notified_to     text[] NOT NULL DEFAULT '{}',
    attempts        integer NOT NULL DEFAULT 0,
    -- Whoever takes the row up to send sets this ahead; what dies while sending is taken up again then.
    next_attempt_at timestamptz NOT NULL,
    last_error      text,
    CONSTRAINT usage_alerts_once UNIQUE (customer_id, period_start, metric, kind, threshold)
);
CREATE INDEX usage_alerts_waiting ON usage_alerts (next_attempt_at) WHERE notified_at IS NULL;

-- When a customer's figures were last compared with its thresholds, by this database's clock.
CREATE TABLE usage_alert_checks (
    customer_id uuid PRIMARY KEY REFERENCES customers,
    checked_at  timestamptz NOT NULL
);

-- People who are written to about a customer's bills, besides the address that Stripe has.
CREATE TABLE billing_contacts (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id uuid NOT NULL REFERENCES customers,
    name        text CHECK (name <> ''),
    email       text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT billing_contacts_email UNIQUE (customer_id, email)
);

-- So that a key that nobody uses can be told from one that somebody would miss.
ALTER TABLE api_keys ADD COLUMN last_used_at timestamptz;
