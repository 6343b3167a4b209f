-- Passwords that did not fit, so that all servers together make whoever guesses wait. What is counted stands as a hash: an account with an
-- address, an account, an address. The hourly job `sessions` removes what is forgotten, and all but the most failed.
CREATE TABLE login_failures (
    key             bytea PRIMARY KEY CHECK (length(key) = 32),
    failures        integer NOT NULL CHECK (failures >= 0),
    last_failure_at timestamptz NOT NULL,
    forget_at       timestamptz NOT NULL,
    -- Somebody who came too early is in the audit trail once for each wait.
    told            boolean NOT NULL DEFAULT false
);
CREATE INDEX login_failures_forget_at ON login_failures (forget_at);

-- Where people have signed in from: there others' failures do not keep them out.
CREATE TABLE login_places (
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- An IPv4 address, or the /64 of an IPv6 address.
    network    text NOT NULL CHECK (length(network) BETWEEN 1 AND 64),
    last_login timestamptz NOT NULL,
    PRIMARY KEY (user_id, network)
);
CREATE INDEX login_places_last_login ON login_places (last_login);
