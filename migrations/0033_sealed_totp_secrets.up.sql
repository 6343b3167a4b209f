-- TOTP secrets may be encrypted with a key that the operator sets: a byte for the format, four for
-- the key's id, a nonce of 12, the secret and a tag of 16. A secret of 20 bytes is unencrypted.
ALTER TABLE user_totp
    DROP CONSTRAINT user_totp_secret_check,
    ADD CONSTRAINT user_totp_secret_check CHECK (length(secret) = 20 OR (length(secret) = 53 AND get_byte(secret, 0) = 1));
