-- What a request under an Idempotency-Key came to, so that the same request again is answered the same and done once.
CREATE TABLE billing_idempotency (
    -- Handed to the work, and the same again when a run that died is repeated.
    id               uuid PRIMARY KEY,
    -- Whose key it is: user:ID or api_key:ID. Others may use the same key for something else.
    principal        text NOT NULL,
    key              text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    method           text NOT NULL,
    path             text NOT NULL,
    -- SHA-256 over method, path, content type and body.
    request_hash     bytea NOT NULL,
    -- failed: may have done something; the same request may be sent again, and goes on.
    status           text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'failed')),
    -- Who does it pushes this ahead; once it is past, that one has died.
    lease_until      timestamptz NOT NULL,
    attempts         integer NOT NULL DEFAULT 1,
    response_status  smallint,
    response_headers jsonb,
    response_body    bytea,
    created_at       timestamptz NOT NULL,
    finished_at      timestamptz,
    expires_at       timestamptz NOT NULL,
    CONSTRAINT billing_idempotency_key UNIQUE (principal, key),
    CONSTRAINT billing_idempotency_done CHECK (
        status <> 'done' OR (response_status IS NOT NULL AND response_body IS NOT NULL AND finished_at IS NOT NULL))
);
CREATE INDEX billing_idempotency_expires_at ON billing_idempotency (expires_at);
