-- The amounts due by currency. $2 is the current time.
SELECT currency, sum(amount_remaining)::bigint AS "open!", coalesce(sum(amount_remaining) FILTER (WHERE due_date < $2), 0)::bigint AS "overdue!"
FROM invoices WHERE customer_id = $1 AND status = 'open' AND NOT deleted GROUP BY currency ORDER BY currency
