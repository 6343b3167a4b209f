-- What each plan includes and its overage prices. A sold version never changes: a new price is a
-- new version, so past periods keep their cost.
CREATE TABLE plans (
    id                           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    plan_type                    text NOT NULL CHECK (plan_type IN ('starter', 'growth', 'scale', 'enterprise')),
    version                      integer NOT NULL CHECK (version >= 1),
    included_impressions         bigint NOT NULL CHECK (included_impressions >= 0),
    included_api_calls           bigint NOT NULL CHECK (included_api_calls >= 0),
    included_data_transfer_bytes bigint NOT NULL CHECK (included_data_transfer_bytes >= 0),
    -- This version rates periods that start at or after this instant.
    valid_from                   timestamptz NOT NULL,
    UNIQUE (plan_type, version)
);

-- Overage price in minor units of `currency` per started package of `package` units.
CREATE TABLE plan_prices (
    plan_id  uuid NOT NULL REFERENCES plans ON DELETE CASCADE,
    currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    metric   text NOT NULL CHECK (metric IN ('impressions', 'api_calls', 'data_transfer_bytes')),
    package  bigint NOT NULL CHECK (package > 0),
    price    integer NOT NULL CHECK (price >= 0),
    PRIMARY KEY (plan_id, currency, metric)
);

INSERT INTO plans (plan_type, version, included_impressions, included_api_calls, included_data_transfer_bytes, valid_from) VALUES
    ('starter',    1,   1000000,   100000,   50000000000, '2020-01-01Z'),
    ('growth',     1,  10000000,  1000000,  500000000000, '2020-01-01Z'),
    ('scale',      1,  50000000,  5000000, 2500000000000, '2020-01-01Z'),
    ('enterprise', 1, 100000000, 10000000, 5000000000000, '2020-01-01Z');

-- US cents and euro cents cost the same. A yen price is the same number of cents, rounded up.
INSERT INTO plan_prices (plan_id, currency, metric, package, price)
SELECT plans.id, c.currency, m.metric, m.package, ceil(m.cents * c.per_cent)
FROM (VALUES
    ('starter',    'impressions',               1000, 10), ('starter',    'api_calls', 1000, 5),
    ('starter',    'data_transfer_bytes', 1000000000, 10),
    ('growth',     'impressions',               1000,  8), ('growth',     'api_calls', 1000, 4),
    ('growth',     'data_transfer_bytes', 1000000000,  8),
    ('scale',      'impressions',               1000,  6), ('scale',      'api_calls', 1000, 3),
    ('scale',      'data_transfer_bytes', 1000000000,  6),
    ('enterprise', 'impressions',               1000,  5), ('enterprise', 'api_calls', 1000, 2),
    ('enterprise', 'data_transfer_bytes', 1000000000,  5)
) AS m (plan_type, metric, package, cents)
JOIN plans USING (plan_type)
CROSS JOIN (VALUES ('usd', 1.0), ('eur', 1.0), ('jpy', 1.5)) AS c (currency, per_cent);
