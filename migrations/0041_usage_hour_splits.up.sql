-- A billing period may begin within an hour: an event belongs to the period that holds its timestamp. The records of such an hour are kept in
-- parts, none of which lies in two periods: `hour` of usage_records and usage_customer_hours is then the part's first instant, and whatever adds
-- up `hour >= start AND hour < end` of a period gets exactly its events. Servers of before this migration go on counting whole hours: what they add
-- is in the hour's first part.
CREATE TABLE usage_hour_splits (
    customer_id uuid NOT NULL REFERENCES customers,
    -- Where a part begins; never the beginning of an hour.
    at          timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, at)
);

-- The first instant of the part of an hour that holds an instant: the hour's own, unless it is split.
CREATE FUNCTION usage_part_start(customer uuid, instant timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT max(at) FROM usage_hour_splits
         WHERE customer_id = customer AND at <= instant AND at > date_trunc('hour', instant, 'UTC')),
        date_trunc('hour', instant, 'UTC'))
$$;
