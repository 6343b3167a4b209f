-- Failed logins, so that all servers throttle password guessing together. Keys are hashes: of an
-- account with an address, of an account, of an address. The hourly job `sessions` deletes expired
-- rows, and all but those with the most failures.
CREATE TABLE login_failures (
    key             bytea PRIMARY KEY CHECK (length(key) = 32),
    failures        integer NOT NULL CHECK (failures >= 0),
    last_failure_at timestamptz NOT NULL,
    forget_at       timestamptz NOT NULL,
    -- A login attempt before the wait is over is audited once per wait.
    told            boolean NOT NULL DEFAULT false
);
CREATE INDEX login_failures_forget_at ON login_failures (forget_at);

-- Addresses from which each user has signed in. From these, other clients' failures don't lock the
-- user out.
CREATE TABLE login_places (
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- An IPv4 address, or the /64 of an IPv6 address.
    network    text NOT NULL CHECK (length(network) BETWEEN 1 AND 64),
    last_login timestamptz NOT NULL,
    PRIMARY KEY (user_id, network)
);
CREATE INDEX login_places_last_login ON login_places (last_login);
