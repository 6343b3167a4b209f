-- Moves queued batches to usage_outbox, the only queue that older servers read.
LOCK TABLE usage_outbox_batches IN ACCESS EXCLUSIVE MODE;
INSERT INTO usage_outbox (customer_id, event_id, app_id, metric, quantity, occurred_at, properties, received_at)
SELECT b.customer_id, e.event_id, e.app_id, e.metric, e.quantity, e.occurred_at, e.properties::jsonb, b.received_at
FROM usage_outbox_batches AS b,
     unnest(b.event_ids, b.app_ids, b.metrics, b.quantities, b.occurred_at, b.properties)
         AS e (event_id, app_id, metric, quantity, occurred_at, properties)
ORDER BY b.id;
DROP TABLE usage_outbox_batches;
