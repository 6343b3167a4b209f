-- Makes the audit log tamper-evident. Each seal is a SHA-256 over the previous seal and its rows,
-- so a changed, deleted or inserted row breaks the chain. A job seals committed rows; writers to
-- the audit log don't wait for it.
CREATE TABLE billing_audit_seals (
    seq       bigint PRIMARY KEY CHECK (seq > 0),
    -- Rows of billing_audit with after_id < id <= last_id.
    after_id  bigint NOT NULL,
    last_id   bigint NOT NULL CHECK (last_id > after_id),
    row_count bigint NOT NULL CHECK (row_count > 0),
    hash      bytea NOT NULL CHECK (length(hash) = 32),
    sealed_at timestamptz NOT NULL
);

CREATE TRIGGER billing_audit_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON billing_audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION billing_audit_is_append_only();
