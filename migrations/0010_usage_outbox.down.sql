DROP SEQUENCE usage_hours_version;
DROP TABLE usage_outbox;
DROP TABLE usage_store;
