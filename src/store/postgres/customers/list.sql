-- A page of customers first, then each one's state: every part uses an index. Failed events are
-- attributed by the Stripe customer id in their payload, because an event that can't be applied has
-- no customer_id yet.
WITH page AS MATERIALIZED (
    SELECT id, name, email, stripe_customer_id, deleted, currency, created_at
    FROM customers
    WHERE $1::text IS NULL OR strpos(lower(name), lower($1)) > 0 OR strpos(lower(email), lower($1)) > 0
       OR strpos(id::text, lower($1)) > 0 OR strpos(lower(stripe_customer_id), lower($1)) > 0
    ORDER BY name, id
    LIMIT $2 OFFSET $3
), failed AS MATERIALIZED (
    SELECT payload FROM stripe_webhook_events WHERE status IN ('failed', 'dead') LIMIT 1000
)
SELECT page.id, page.name, page.email, page.stripe_customer_id, page.deleted, page.currency, page.created_at,
       (SELECT entry.created_at FROM billing_audit entry
        WHERE entry.customer_id = page.id AND entry.event_type = 'webhook.applied' ORDER BY entry.created_at DESC LIMIT 1) AS last_applied_at,
       (SELECT count(*) FROM failed WHERE strpos(failed.payload, '"' || page.stripe_customer_id || '"') > 0) AS "failed_events!",
       run.started_at AS "compared_since?", run.finished_at AS "reconciled_at?",
       CASE WHEN run.id IS NOT NULL THEN
           (SELECT count(*) FROM reconciliation_discrepancies found
            WHERE found.reconciliation_id = run.id AND found.customer_id = page.id AND found.confirmed AND found.repaired_at IS NULL)
       END AS open_discrepancies
FROM page
-- A run covers a customer with a Stripe id that existed when the run began, if the run was not
-- limited to recent objects.
LEFT JOIN LATERAL (
    SELECT id, started_at, finished_at FROM reconciliations
    WHERE status = 'completed' AND NOT dry_run AND (customer_id IS NULL OR customer_id = page.id)
      AND page.stripe_customer_id IS NOT NULL AND started_at >= page.created_at
      AND (window_from IS NULL OR window_from <= page.created_at)
    ORDER BY started_at DESC, id LIMIT 1
) run ON true
ORDER BY page.name, page.id
