-- Updates some of the invoices that wait for a now known object: their lines get the price's
-- fields, and their version increases, because their display changes.
WITH waiting AS MATERIALIZED (
    SELECT id FROM invoices WHERE lookups @> ARRAY[$1] LIMIT $2 FOR UPDATE SKIP LOCKED
), priced AS (
    UPDATE invoice_line_items line SET transform_quantity = price.transform_quantity
    FROM prices price
    WHERE price.stripe_price_id = $1 AND line.invoice_id = ANY (ARRAY(SELECT id FROM waiting)) AND line.price_id = $1
      AND line.transform_quantity IS NULL
), settled AS (
    UPDATE invoices SET lookups = nullif(array_remove(lookups, $1), '{}'), version = version + 1, updated_at = now()
    WHERE id = ANY (ARRAY(SELECT id FROM waiting))
    RETURNING 1
)
SELECT count(*) AS "settled!" FROM settled
