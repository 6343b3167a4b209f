DROP INDEX usage_records_hour;
DROP INDEX usage_events_occurred_at;
DROP TABLE usage_differences;
DROP TABLE usage_moves;
