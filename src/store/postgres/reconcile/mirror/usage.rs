//! Customers with Stripe meters, and usage billed by invoices.

use super::Scope;
use crate::domain::identity::CustomerId;
use sqlx::PgPool;
use time::OffsetDateTime;

/// Customers with a Stripe id, ordered by our id, after one of them.
pub async fn metered_customers(
    pool: &PgPool,
    only: Option<CustomerId>,
    after: uuid::Uuid,
    limit: i64,
) -> sqlx::Result<Vec<(CustomerId, String)>> {
    let rows = sqlx::query!(
        r#"SELECT id, stripe_customer_id AS "stripe_customer_id!" FROM customers
           WHERE stripe_customer_id IS NOT NULL AND NOT deleted AND id > $1 AND ($2::uuid IS NULL OR id = $2) ORDER BY id LIMIT $3"#,
        after,
        only.map(|customer| customer.0),
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (CustomerId(row.id), row.stripe_customer_id)).collect())
}

/// Prices referenced by invoice lines, by id after `after`.
pub async fn prices(pool: &PgPool, scope: Scope, until: OffsetDateTime, after: &str, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"SELECT line.price_id AS "price!" FROM invoice_line_items line JOIN invoices object ON object.id = line.invoice_id
           WHERE NOT object.deleted AND object.created_at < $1 AND ($2::timestamptz IS NULL OR object.created_at >= $2)
             AND ($3::uuid IS NULL OR object.customer_id = $3) AND line.price_id COLLATE "C" > $4
           GROUP BY line.price_id ORDER BY line.price_id COLLATE "C" LIMIT $5"#,
        until,
        scope.from,
        scope.customer.map(|customer| customer.0),
        after,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// A metric's billed quantity on an invoice for a period, and the usage in the hours that begin in
/// that period.
#[derive(Clone, Debug)]
pub struct Billed {
    pub invoice: String,
    pub stripe_customer: String,
    pub subscription: Option<String>,
    pub metric: String,
    pub start: OffsetDateTime,
    pub end: OffsetDateTime,
    pub billed: i64,
    pub used: i64,
}

/// Usage on finalized invoices, by the invoices' ids after `after`: up to a number of invoices, or
/// the given ones.
pub async fn billed(
    pool: &PgPool,
    scope: Scope,
    until: OffsetDateTime,
    metered: &[(String, &'static str)],
    only: Option<&[&str]>,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<Billed>> {
    let (prices, metrics): (Vec<&str>, Vec<&str>) = metered.iter().map(|(price, metric)| (price.as_str(), *metric)).unzip();
    sqlx::query!(
        r#"WITH metered AS (
               SELECT * FROM unnest($1::text[], $2::text[]) AS metered(price_id, metric)
           ), page AS (
               SELECT id, customer_id, stripe_invoice_id, stripe_subscription_id FROM invoices object
               WHERE NOT deleted AND status IN ('open', 'paid', 'uncollectible') AND lines_complete AND created_at < $3
                 AND ($4::timestamptz IS NULL OR created_at >= $4) AND ($5::uuid IS NULL OR customer_id = $5)
                 AND ($6::text[] IS NULL OR stripe_invoice_id = ANY($6)) AND stripe_invoice_id COLLATE "C" > $7
                 AND EXISTS (SELECT FROM customers WHERE customers.id = object.customer_id AND stripe_customer_id IS NOT NULL)
                 AND EXISTS (SELECT FROM invoice_line_items line WHERE line.invoice_id = object.id AND line.price_id = ANY($1)
                                 AND NOT line.proration AND line.period_start < line.period_end)
               ORDER BY stripe_invoice_id COLLATE "C" LIMIT $8
           ), billed AS (
               SELECT page.customer_id, stripe_invoice_id, stripe_subscription_id, metric, line.period_start, line.period_end,
                      least(round(sum(coalesce(line.quantity_decimal, line.quantity, 0))), 9223372036854775807)::bigint AS quantity
               FROM page JOIN invoice_line_items line ON line.invoice_id = page.id JOIN metered USING (price_id)
               WHERE NOT line.proration AND line.period_start < line.period_end
               GROUP BY page.customer_id, stripe_invoice_id, stripe_subscription_id, metric, line.period_start, line.period_end
           )
           SELECT stripe_invoice_id AS "invoice!", stripe_customer_id AS "stripe_customer!", stripe_subscription_id AS subscription, metric AS "metric!",
                  period_start AS "start!", period_end AS "end!", billed.quantity AS "billed!", used.quantity AS "used!"
           FROM billed JOIN customers ON customers.id = billed.customer_id
                CROSS JOIN LATERAL (SELECT least(coalesce(sum(hours.quantity), 0), 9223372036854775807)::bigint AS quantity
                                    FROM usage_customer_metric_hours hours
                                    WHERE hours.customer_id = billed.customer_id AND hours.metric = billed.metric
                                      AND hours.hour >= billed.period_start AND hours.hour < billed.period_end) AS used
           ORDER BY stripe_invoice_id COLLATE "C", metric, period_start, period_end"#,
        &prices as &[&str],
        &metrics as &[&str],
        until,
        scope.from,
        scope.customer.map(|customer| customer.0),
        only as Option<&[&str]>,
        after,
        limit,
    )
    .map(|row| Billed {
        invoice: row.invoice,
        stripe_customer: row.stripe_customer,
        subscription: row.subscription,
        metric: row.metric,
        start: row.start,
        end: row.end,
        billed: row.billed,
        used: row.used,
    })
    .fetch_all(pool)
    .await
}
