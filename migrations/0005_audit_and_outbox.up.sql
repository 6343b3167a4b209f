-- The audit log: who changed what. It is append-only.
CREATE TABLE billing_audit (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type  text NOT NULL,
    actor       text NOT NULL,
    customer_id uuid,
    data        jsonb NOT NULL DEFAULT '{}',
    ip_address  text,
    user_agent  text,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX billing_audit_created_at ON billing_audit (created_at DESC);
CREATE INDEX billing_audit_event_type ON billing_audit (event_type, created_at DESC);
CREATE INDEX billing_audit_customer ON billing_audit (customer_id, created_at DESC);

CREATE FUNCTION billing_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'billing_audit is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER billing_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON billing_audit
    FOR EACH STATEMENT EXECUTE FUNCTION billing_audit_is_append_only();

-- The outbox of domain events, written in the same transaction as the change they report.
CREATE TABLE events (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_type   text NOT NULL,
    customer_id  uuid,
    data         jsonb NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
);
CREATE INDEX events_unpublished ON events (id) WHERE published_at IS NULL;
