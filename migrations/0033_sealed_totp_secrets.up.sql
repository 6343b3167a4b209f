-- The secret of an authenticator app may be sealed by a key that the operator sets: a byte for the form, four that name the key, a nonce of
-- twelve, the secret and a tag of sixteen. One of twenty bytes is plain.
ALTER TABLE user_totp
    DROP CONSTRAINT user_totp_secret_check,
    ADD CONSTRAINT user_totp_secret_check CHECK (length(secret) = 20 OR (length(secret) = 53 AND get_byte(secret, 0) = 1));
