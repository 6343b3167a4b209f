-- What a snapshot's reader takes from an event grows with the program. Each row names the event and the version of the reader that wrote it, so that
-- rows of an older reader are read again from the stored event (service::reread). A program from before this migration changes event_id without
-- reader_event, so what it writes counts as version 0. The constants are in stripe::webhook::snapshot (Mirrored::READER_VERSION).
ALTER TABLE invoices
    ADD COLUMN reader_version integer,
    ADD COLUMN reader_event   text COLLATE "C";
ALTER TABLE credit_notes
    ADD COLUMN reader_version integer,
    ADD COLUMN reader_event   text COLLATE "C",
    -- False while Stripe holds back further pages of lines.
    ADD COLUMN lines_complete boolean NOT NULL DEFAULT true;
ALTER TABLE subscriptions
    ADD COLUMN reader_version integer,
    ADD COLUMN reader_event   text COLLATE "C";

-- The version that a row was read with. Nearly all entries are equal, which B-tree deduplication makes small.
CREATE INDEX invoices_read_with ON invoices ((CASE WHEN reader_event = event_id THEN reader_version ELSE 0 END));
CREATE INDEX credit_notes_read_with ON credit_notes ((CASE WHEN reader_event = event_id THEN reader_version ELSE 0 END));
CREATE INDEX subscriptions_read_with ON subscriptions ((CASE WHEN reader_event = event_id THEN reader_version ELSE 0 END));

CREATE INDEX credit_notes_lines_incomplete ON credit_notes (stripe_credit_note_id) WHERE NOT lines_complete;
