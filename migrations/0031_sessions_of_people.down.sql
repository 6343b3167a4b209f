DROP INDEX sessions_public_id;
DROP INDEX sessions_user;
ALTER TABLE sessions DROP COLUMN public_id, DROP COLUMN user_id;
