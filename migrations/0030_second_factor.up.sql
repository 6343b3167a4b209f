-- The second factor: the TOTP secret of a user's authenticator app. Computing codes needs the
-- secret itself, so a hash is not enough.
CREATE TABLE user_totp (
    user_id      uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    secret       bytea NOT NULL CHECK (length(secret) = 20),
    offered_at   timestamptz NOT NULL,
    -- The user has entered a valid code: from then on login requires one.
    confirmed_at timestamptz,
    -- The newest 30-second time step whose code was used. Codes of this and earlier steps are
    -- refused (RFC 6238, section 5.2).
    last_step    bigint NOT NULL DEFAULT -1
);

-- Recovery codes for users who lost the app: SHA-256 of random codes, each valid once.
CREATE TABLE user_recovery_codes (
    user_id   uuid NOT NULL REFERENCES user_totp ON DELETE CASCADE,
    code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
    used_at   timestamptz,
    PRIMARY KEY (user_id, code_hash)
);
