-- The audit trail proves itself: each seal holds a SHA-256 over the seal before it and over its rows, so that nothing in the trail can be
-- changed, removed or slipped in later without breaking it. A job seals what has been committed; whoever writes to the trail waits for nothing.
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
