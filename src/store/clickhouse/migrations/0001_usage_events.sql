-- Every accepted usage event. PostgreSQL decides what is accepted. Rows come at least once and are immutable, so that a repeat is
-- harmless: of the same event one row stays. Read it with FINAL.
CREATE TABLE IF NOT EXISTS usage_events {on_cluster}
(
    customer_id UUID,
    app_id      LowCardinality(String),
    metric      LowCardinality(String),
    event_id    String,
    ts          DateTime64(3, 'UTC'),
    quantity    UInt64,
    properties  String,
    version     UInt64
)
ENGINE = {replacing}(version)
PARTITION BY toYYYYMM(ts)
ORDER BY (customer_id, metric, toStartOfHour(ts), event_id)
