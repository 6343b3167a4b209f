-- What each hour adds up to, counted anew from its events whenever some have come in. The newest state wins. Read it with FINAL.
CREATE TABLE IF NOT EXISTS usage_hours {on_cluster}
(
    customer_id UUID,
    metric      LowCardinality(String),
    hour        DateTime('UTC'),
    app_id      LowCardinality(String),
    quantity    UInt64,
    event_count UInt64,
    as_of       DateTime64(3, 'UTC'),
    version     UInt64
)
ENGINE = {replacing}(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (customer_id, metric, hour, app_id)
