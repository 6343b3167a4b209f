-- A billing period may begin within an hour, and an event belongs to the period that contains its
-- timestamp. The records of such an hour are split at the boundary: `hour` of usage_records and
-- usage_customer_hours is then the part's first instant, so summing `hour >= start AND hour < end`
-- gives exactly the period's events. Older servers still count whole hours, into the first part.
CREATE TABLE usage_hour_splits (
    customer_id uuid NOT NULL REFERENCES customers,
    -- Where a part begins; never the beginning of an hour.
    at          timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, at)
);

-- Start of the part of an hour that contains an instant. It is the start of the hour unless that is
-- split.
CREATE FUNCTION usage_part_start(customer uuid, instant timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT max(at) FROM usage_hour_splits
         WHERE customer_id = customer AND at <= instant AND at > date_trunc('hour', instant, 'UTC')),
        date_trunc('hour', instant, 'UTC'))
$$;
