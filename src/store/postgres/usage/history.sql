-- $5 is hour, day or month; $6 the number of separate apps. Sums saturate at the largest bigint.
WITH sums AS (
    SELECT metric, app_id, date_trunc($5, hour, 'UTC') AS start, sum(quantity) AS quantity
    FROM usage_records
    WHERE customer_id = $1 AND metric = ANY ($2) AND hour >= $3 AND hour < $4
    GROUP BY 1, 2, 3
),
ranked AS (
    SELECT metric, app_id, row_number() OVER (PARTITION BY metric ORDER BY sum(quantity) DESC, app_id) AS place
    FROM sums
    GROUP BY 1, 2
),
named AS (
    SELECT metric, app_id, CASE WHEN place <= $6 THEN app_id END AS shown, least(place, $6 + 1) AS place
    FROM ranked
)
SELECT sums.metric, named.shown AS "app_id?", start AS "start!",
       least(sum(quantity), 9223372036854775807)::bigint AS "quantity!",
       (SELECT count(*) FROM ranked WHERE ranked.metric = sums.metric AND ranked.place > $6) AS "apps!"
FROM sums JOIN named ON named.metric = sums.metric AND named.app_id = sums.app_id
GROUP BY sums.metric, named.shown, named.place, start
ORDER BY sums.metric, named.place, start
