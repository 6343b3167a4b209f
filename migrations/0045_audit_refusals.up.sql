-- Audit rows are never deleted, so unauthenticated clients may add only a limited number per hour.
-- This counts refusals per address and in total (`*`): those written to billing_audit and those
-- left out. The hourly job `sessions` writes one audit row with the counts of past hours and
-- deletes them here.
CREATE TABLE audit_refusals (
    hour     timestamptz NOT NULL,
    -- An IPv4 address, the /64 of an IPv6 address, `unknown`, or `*`.
    network  text NOT NULL CHECK (length(network) BETWEEN 1 AND 64),
    written  integer NOT NULL CHECK (written >= 0),
    left_out bigint NOT NULL CHECK (left_out >= 0),
    PRIMARY KEY (hour, network)
);
