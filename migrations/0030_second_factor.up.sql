-- The second factor: the secret that a person's authenticator app makes codes of. The codes are made of the secret itself, so it can't be a hash.
CREATE TABLE user_totp (
    user_id      uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    secret       bytea NOT NULL CHECK (length(secret) = 20),
    offered_at   timestamptz NOT NULL,
    -- A code of it was shown: from then on it is asked for.
    confirmed_at timestamptz,
    -- The newest step of thirty seconds whose code was used; none up to it is taken again.
    last_step    bigint NOT NULL DEFAULT -1
);

-- For whoever has lost the app: SHA-256 of random codes, each good for once.
CREATE TABLE user_recovery_codes (
    user_id   uuid NOT NULL REFERENCES user_totp ON DELETE CASCADE,
    code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
    used_at   timestamptz,
    PRIMARY KEY (user_id, code_hash)
);
