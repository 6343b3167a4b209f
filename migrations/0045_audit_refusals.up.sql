-- The audit log can't be pruned, so whoever is not signed in may add a bounded number of rows to it each hour. Counted are the refusals of an
-- address and of all together (`*`): those that were written to billing_audit, and those that were left out. The hourly job `sessions` writes
-- one row with the counts of the hours that are over, and removes them here.
CREATE TABLE audit_refusals (
    hour     timestamptz NOT NULL,
    -- An IPv4 address, the /64 of an IPv6 address, `unknown`, or `*`.
    network  text NOT NULL CHECK (length(network) BETWEEN 1 AND 64),
    written  integer NOT NULL CHECK (written >= 0),
    left_out bigint NOT NULL CHECK (left_out >= 0),
    PRIMARY KEY (hour, network)
);
