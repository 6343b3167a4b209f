-- What decides whether a usage event is new gets a third as large, and can be forgotten: usage_event_keys held every id that ever came.
--
-- An event is known by 120 bits of SHA-256 over its customer and id, behind one byte for the era in which it came. Eras are partitions. A new
-- one begins every few months, and events are looked up in the one before as long as that matters: an event older than 35 days is refused, so
-- that whatever came 36 days ago can't come again. Then that partition goes as a whole, without a DELETE and what it leaves behind.
CREATE TABLE usage_ids (
    key uuid NOT NULL PRIMARY KEY
) PARTITION BY RANGE (key);

CREATE TABLE usage_id_eras (
    era      int PRIMARY KEY CHECK (era BETWEEN 0 AND 255),
    began_at timestamptz NOT NULL
);

-- The key of an event; the server makes the same.
CREATE FUNCTION usage_id(era int, customer_id uuid, event_id text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(era), 2, '0') || left(encode(sha256(uuid_send(customer_id) || convert_to(event_id, 'UTF8')), 'hex'), 30))::uuid
$$;

-- Begins an era. Whoever takes events holds the same lock, shared: nobody is still writing into the one before.
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

-- What is known so far. Servers that take events wait meanwhile.
LOCK TABLE usage_event_keys IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO usage_ids SELECT usage_id(0, customer_id, event_id) FROM usage_event_keys ORDER BY 1;

-- Servers of before this migration still write usage_event_keys; what they call new is new here too, and known from then on.
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
