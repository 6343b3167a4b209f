-- Later versions of the program read more fields from an event. Each row has the event and the
-- version of the reader that wrote it, so that rows of an older reader are parsed again from the
-- stored event (service::reread). Programs older than this migration change event_id without
-- reader_event, so their rows count as version 0. The versions are constants in
-- stripe::webhook::snapshot (Mirrored::READER_VERSION).
ALTER TABLE invoices
    ADD COLUMN reader_version integer,
    ADD COLUMN reader_event   text COLLATE "C";
ALTER TABLE credit_notes
    ADD COLUMN reader_version integer,
    ADD COLUMN reader_event   text COLLATE "C",
    -- False while further pages of lines have not been fetched.
    ADD COLUMN lines_complete boolean NOT NULL DEFAULT true;
ALTER TABLE subscriptions
    ADD COLUMN reader_version integer,
    ADD COLUMN reader_event   text COLLATE "C";

-- The reader version of each row. Nearly all entries are equal; B-tree deduplication keeps the
-- index small.
CREATE INDEX invoices_read_with ON invoices ((CASE WHEN reader_event = event_id THEN reader_version ELSE 0 END));
CREATE INDEX credit_notes_read_with ON credit_notes ((CASE WHEN reader_event = event_id THEN reader_version ELSE 0 END));
CREATE INDEX subscriptions_read_with ON subscriptions ((CASE WHEN reader_event = event_id THEN reader_version ELSE 0 END));

CREATE INDEX credit_notes_lines_incomplete ON credit_notes (stripe_credit_note_id) WHERE NOT lines_complete;
