-- Replaces usage_event_keys, which stored every event id forever. The new keys take a third of the
-- space and expire.
--
-- A key is one byte for the era, then 120 bits of SHA-256 over customer and event id. Each era is a
-- partition. A new era begins every few months, and duplicates are looked up in the current and the
-- previous era. Events older than 35 days are refused, so keys older than 36 days are not needed:
-- their partition is dropped whole, without DELETE and its dead rows.
CREATE TABLE usage_ids (
    key uuid NOT NULL PRIMARY KEY
) PARTITION BY RANGE (key);

CREATE TABLE usage_id_eras (
    era      int PRIMARY KEY CHECK (era BETWEEN 0 AND 255),
    began_at timestamptz NOT NULL
);

-- The key of an event; the server computes the same.
CREATE FUNCTION usage_id(era int, customer_id uuid, event_id text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(era), 2, '0') || left(encode(sha256(uuid_send(customer_id) || convert_to(event_id, 'UTF8')), 'hex'), 30))::uuid
$$;

-- Begins an era. Writers hold the same lock in shared mode, so no writer is still using the
-- previous era.
CREATE FUNCTION usage_ids_begin_era(at timestamptz) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    beginning int;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('usage_id_eras'));
    SELECT coalesce(max(era) + 1, 0) INTO beginning FROM usage_id_eras;
    EXECUTE format(
        'CREATE TABLE %I PARTITION OF usage_ids FOR VALUES FROM (%L) TO (%s)',
        'usage_ids_' || beginning, (lpad(to_hex(beginning), 2, '0') || repeat('0', 30))::uuid,
        CASE WHEN beginning < 255 THEN quote_literal((lpad(to_hex(beginning + 1), 2, '0') || repeat('0', 30))::uuid) ELSE 'MAXVALUE' END);
    INSERT INTO usage_id_eras (era, began_at) VALUES (beginning, at);
    RETURN beginning;
END $$;
SELECT usage_ids_begin_era(now());

-- Copies the known keys. Servers that accept events block meanwhile.
LOCK TABLE usage_event_keys IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO usage_ids SELECT usage_id(0, customer_id, event_id) FROM usage_event_keys ORDER BY 1;

-- Older servers still write usage_event_keys; the trigger records their keys here too.
CREATE FUNCTION usage_event_keys_are_ids() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    newest int;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('usage_id_eras'));
    SELECT max(era) INTO newest FROM usage_id_eras;
    IF EXISTS (SELECT FROM usage_id_eras e JOIN usage_ids i ON i.key = usage_id(e.era, NEW.customer_id, NEW.event_id) WHERE e.era < newest) THEN
        RETURN NULL;
    END IF;
    INSERT INTO usage_ids VALUES (usage_id(newest, NEW.customer_id, NEW.event_id)) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER usage_event_keys_are_ids BEFORE INSERT ON usage_event_keys FOR EACH ROW EXECUTE FUNCTION usage_event_keys_are_ids();
