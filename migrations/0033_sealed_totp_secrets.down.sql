-- SQL can't decrypt encrypted secrets, and they stay (NOT VALID): removing a second factor would
-- let in any client that has the password. Older servers refuse all codes for them, so a password
-- alone is not enough; recovery codes still work. Migrating up again makes the codes valid again.
ALTER TABLE user_totp
    DROP CONSTRAINT user_totp_secret_check,
    ADD CONSTRAINT user_totp_secret_check CHECK (length(secret) = 20) NOT VALID;
