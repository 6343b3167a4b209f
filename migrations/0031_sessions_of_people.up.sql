-- Whose a session is, so that a new password can end all of them, and a name for each that may be shown: its id is what a browser proves itself
-- with. The owner is read out of the data, so that servers which don't know of the column yet keep it right too.
ALTER TABLE sessions
    ADD COLUMN user_id   uuid GENERATED ALWAYS AS ((data ->> 'user')::uuid) STORED,
    ADD COLUMN public_id uuid NOT NULL DEFAULT gen_random_uuid();
CREATE INDEX sessions_user ON sessions (user_id);
CREATE UNIQUE INDEX sessions_public_id ON sessions (public_id);
