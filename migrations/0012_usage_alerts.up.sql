-- Notifies customers when usage reaches a threshold, once per period and threshold. Customers
-- manage the recipients, their billing contacts and their API keys themselves.
CREATE TABLE usage_alert_settings (
    customer_id uuid PRIMARY KEY REFERENCES customers,
    -- The body of `PUT /billing/alerts`. Customers without a row get the default thresholds.
    settings    jsonb NOT NULL,
    updated_at  timestamptz NOT NULL
);

-- Fired alerts. The unique key makes each fire once, even if several processes evaluate the same
-- usage.
CREATE TABLE usage_alerts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id     uuid NOT NULL REFERENCES customers,
    period_start    timestamptz NOT NULL,
    period_end      timestamptz NOT NULL CHECK (period_end > period_start),
    metric          text NOT NULL CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes')),
    kind            text NOT NULL CHECK (kind IN ('percent', 'cost', 'cap')),
    -- Percent of the included quantity, minor units of `currency`, or a quantity, depending on
    -- `kind`.
    threshold       bigint NOT NULL,
    -- Usage and cost when the alert fired; `cost` in minor units of `currency`. Without a
    -- subscription, nothing is included.
    used            bigint NOT NULL,
    included        bigint,
    cost            bigint NOT NULL,
    currency        text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    fired_at        timestamptz NOT NULL,
    -- When the last of its mails was sent, and the recipients so far.
    notified_at     timestamptz,
    notified_to     text[] NOT NULL DEFAULT '{}',
    attempts        integer NOT NULL DEFAULT 0,
    -- A worker sets this to a later time before it sends. If the worker dies, another one retries
    -- after that time.
    next_attempt_at timestamptz NOT NULL,
    last_error      text,
    CONSTRAINT usage_alerts_once UNIQUE (customer_id, period_start, metric, kind, threshold)
);
CREATE INDEX usage_alerts_waiting ON usage_alerts (next_attempt_at) WHERE notified_at IS NULL;

-- When a customer's usage was last compared with the thresholds, by this database's clock.
CREATE TABLE usage_alert_checks (
    customer_id uuid PRIMARY KEY REFERENCES customers,
    checked_at  timestamptz NOT NULL
);

-- Recipients of mail about a customer's bills, besides the address in Stripe.
CREATE TABLE billing_contacts (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id uuid NOT NULL REFERENCES customers,
    name        text CHECK (name <> ''),
    email       text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT billing_contacts_email UNIQUE (customer_id, email)
);

-- When each key was last used, so that unused keys can be identified.
ALTER TABLE api_keys ADD COLUMN last_used_at timestamptz;
