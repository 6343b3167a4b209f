-- Responses to requests with an Idempotency-Key: a repeated request gets the same response and has
-- no further effect.
CREATE TABLE billing_idempotency (
    -- Passed to the operation, and unchanged when an interrupted request is repeated.
    id               uuid PRIMARY KEY,
    -- The key's owner: user:ID or api_key:ID. Different owners may use the same key.
    principal        text NOT NULL,
    key              text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    method           text NOT NULL,
    path             text NOT NULL,
    -- SHA-256 of method, path, content type and body.
    request_hash     bytea NOT NULL,
    -- failed: it may have had effects; repeating the same request resumes it.
    status           text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'failed')),
    -- The process that handles the request extends this. If it has passed, that process died.
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
