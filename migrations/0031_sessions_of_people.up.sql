-- The user of a session, so that a password change can end all of them, and a public id that may be
-- shown: the session's own id is a credential. Generated from the data, so that older servers fill
-- both too.
ALTER TABLE sessions
    ADD COLUMN user_id   uuid GENERATED ALWAYS AS ((data ->> 'user')::uuid) STORED,
    ADD COLUMN public_id uuid NOT NULL DEFAULT gen_random_uuid();
CREATE INDEX sessions_user ON sessions (user_id);
CREATE UNIQUE INDEX sessions_public_id ON sessions (public_id);
