DROP TRIGGER usage_event_keys_are_ids ON usage_event_keys;
DROP FUNCTION usage_event_keys_are_ids;
-- Restores the keys of later events from the events themselves.
INSERT INTO usage_event_keys SELECT customer_id, event_id FROM usage_events ON CONFLICT DO NOTHING;
INSERT INTO usage_event_keys SELECT customer_id, event_id FROM usage_outbox ON CONFLICT DO NOTHING;
DROP FUNCTION usage_ids_begin_era;
DROP FUNCTION usage_id;
DROP TABLE usage_id_eras;
DROP TABLE usage_ids;
