-- Customers, the users who sign in for them, and the API keys that send their usage.
CREATE TABLE customers (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    stripe_customer_id text UNIQUE,
    name               text NOT NULL CHECK (name <> ''),
    email              text,
    currency           text NOT NULL DEFAULT 'usd' CHECK (currency ~ '^[a-z]{3}$'),
    created_at         timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email         text NOT NULL CHECK (email = lower(email)),
    password_hash text NOT NULL,
    role          text NOT NULL CHECK (role IN ('readonly', 'publisher', 'admin')),
    -- The customer whose data this user sees. Staff may have no customer.
    customer_id   uuid REFERENCES customers,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz,
    disabled_at   timestamptz,
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_customer_unless_staff CHECK (role = 'admin' OR customer_id IS NOT NULL)
);

CREATE TABLE sessions (
    id         text PRIMARY KEY,
    data       jsonb NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE api_keys (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id  uuid NOT NULL REFERENCES customers,
    name         text NOT NULL,
    -- The key's first characters, to identify it in lists. Of the key itself only the SHA-256 is
    -- stored.
    prefix       text NOT NULL,
    key_hash     bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    revoked_at   timestamptz
);
CREATE INDEX api_keys_customer ON api_keys (customer_id);
