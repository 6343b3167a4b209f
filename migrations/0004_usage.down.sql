DROP TABLE usage_records;
DROP FUNCTION usage_events_ensure_partitions;
DROP TABLE usage_events;
DROP TABLE usage_event_keys;
