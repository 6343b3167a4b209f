-- Programs of before know plain secrets alone, and the key is not here. Taking a second factor away would let in whoever has the password,
-- so those in force have to be opened by a server first. An offered one protects nothing yet, and is offered again when it is wanted.
LOCK TABLE user_totp IN ACCESS EXCLUSIVE MODE;
DELETE FROM user_totp WHERE confirmed_at IS NULL AND length(secret) <> 20;
DO $$
DECLARE
    sealed bigint;
BEGIN
    SELECT count(*) INTO sealed FROM user_totp WHERE length(secret) <> 20;
    IF sealed > 0 THEN
        RAISE EXCEPTION 'secrets of % authenticator apps are sealed; start the server once with SECRETS_KEY=plain,KEY, which opens them, or take those whose key is lost away with apex-billing user reset-totp', sealed;
    END IF;
END $$;
ALTER TABLE user_totp
    DROP CONSTRAINT user_totp_secret_check,
    ADD CONSTRAINT user_totp_secret_check CHECK (length(secret) = 20);
