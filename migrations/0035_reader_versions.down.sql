DROP INDEX credit_notes_lines_incomplete, subscriptions_read_with, credit_notes_read_with, invoices_read_with;
ALTER TABLE subscriptions DROP COLUMN reader_event, DROP COLUMN reader_version;
ALTER TABLE credit_notes DROP COLUMN lines_complete, DROP COLUMN reader_event, DROP COLUMN reader_version;
ALTER TABLE invoices DROP COLUMN reader_event, DROP COLUMN reader_version;
