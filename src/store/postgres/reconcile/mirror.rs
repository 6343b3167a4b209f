//! The mirror's objects as records, newest first or by id.

use crate::domain::{
    identity::CustomerId,
    reconcile::{Figure, Object, Record, Unit, written},
};
use sqlx::PgPool;
use std::collections::HashMap;
use time::OffsetDateTime;

/// Whose objects, and made when.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    pub customer: Option<CustomerId>,
    pub from: Option<OffsetDateTime>,
}

/// The place after which a page begins: objects made before the instant, or at it with a smaller id.
#[derive(Clone, Debug)]
pub struct Place {
    pub before: OffsetDateTime,
    pub id: String,
}

macro_rules! invoices {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_invoice_id AS id, object.created_at, customer.stripe_customer_id AS customer, stripe_subscription_id, object.currency,
                      status, subtotal, discount, tax, total, amount_due, amount_paid, amount_remaining, amount_overpaid, starting_balance,
                      ending_balance, credit_notes_pre_payment, credit_notes_post_payment, lines_complete,
                      lines.count AS "line_count!", lines.sum AS "line_sum!", lines.quantity AS "line_quantity!"
               FROM invoices object JOIN customers customer ON customer.id = object.customer_id
                    CROSS JOIN LATERAL (SELECT count(*), coalesce(sum(amount), 0)::bigint AS sum,
                                               least(coalesce(sum(quantity), 0), 9223372036854775807)::bigint AS quantity
                                        FROM invoice_line_items WHERE invoice_id = object.id) AS lines
               WHERE NOT object.deleted AND "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id.clone(),
            created: row.created_at.unix_timestamp(),
            customer: row.customer,
            invoice: Some(row.id),
            subscription: row.stripe_subscription_id,
            currency: row.currency.parse().ok(),
            status: Some(row.status),
            figures: vec![
                Figure::money("total", row.total),
                Figure::money("subtotal", row.subtotal),
                Figure::money("discount", row.discount),
                Figure::money("tax", row.tax),
                Figure::money("amount_due", row.amount_due),
                Figure::money("amount_paid", row.amount_paid),
                Figure::money("amount_remaining", row.amount_remaining),
                Figure::money("amount_overpaid", row.amount_overpaid),
                Figure::money("starting_balance", row.starting_balance),
                Figure::money("ending_balance", row.ending_balance.unwrap_or(0)),
                Figure::money("credit_notes_pre_payment", row.credit_notes_pre_payment),
                Figure::money("credit_notes_post_payment", row.credit_notes_post_payment),
                Figure::unsure("line_sum", Some(row.line_sum).filter(|_| row.lines_complete), Unit::Money),
                Figure::unsure("line_count", Some(row.line_count).filter(|_| row.lines_complete), Unit::Count),
                Figure::unsure("line_quantity", Some(row.line_quantity).filter(|_| row.lines_complete), Unit::Count),
            ],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

macro_rules! subscriptions {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_subscription_id AS id, object.created_at, customer.stripe_customer_id AS customer, object.currency, status,
                      current_period_start, current_period_end, cancel_at_period_end, cancel_at, canceled_at, ended_at,
                      (SELECT coalesce(string_agg(stripe_item_id || ': ' || coalesce(price_id, '–') || ' × ' || coalesce(quantity::text, '–'), ', '
                                                  ORDER BY stripe_item_id COLLATE "C"), '–')
                       FROM subscription_items WHERE subscription_id = object.id) AS "items!"
               FROM subscriptions object JOIN customers customer ON customer.id = object.customer_id WHERE "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id.clone(),
            created: row.created_at.unix_timestamp(),
            customer: row.customer,
            subscription: Some(row.id),
            currency: row.currency.parse().ok(),
            status: Some(row.status),
            facts: vec![
                ("items", row.items),
                ("current_period_start", written(row.current_period_start)),
                ("current_period_end", written(row.current_period_end)),
                ("cancel_at_period_end", row.cancel_at_period_end.to_string()),
                ("cancel_at", written(row.cancel_at)),
                ("canceled_at", written(row.canceled_at)),
                ("ended_at", written(row.ended_at)),
            ],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

macro_rules! charges {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_charge_id AS id, object.created_at, customer.stripe_customer_id AS customer, stripe_invoice_id, payment_intent,
                      object.currency, amount, amount_refunded, status
               FROM charges object JOIN customers customer ON customer.id = object.customer_id WHERE "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id,
            created: row.created_at.unix_timestamp(),
            customer: row.customer,
            invoice: row.stripe_invoice_id,
            payment_intent: row.payment_intent,
            currency: row.currency.parse().ok(),
            status: Some(row.status),
            figures: vec![Figure::money("amount", row.amount), Figure::money("amount_refunded", row.amount_refunded)],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

macro_rules! refunds {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_refund_id AS "id!", object.created_at AS "created_at!", customer.stripe_customer_id AS "customer?",
                      stripe_charge_id, payment_intent, object.currency AS "currency!", amount AS "amount!", status AS "status!"
               FROM refunds object LEFT JOIN customers customer ON customer.id = object.customer_id WHERE "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id,
            created: row.created_at.unix_timestamp(),
            customer: row.customer,
            charge: row.stripe_charge_id,
            payment_intent: row.payment_intent,
            currency: row.currency.parse().ok(),
            status: Some(row.status),
            figures: vec![Figure::money("amount", row.amount)],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

macro_rules! credit_notes {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_credit_note_id AS id, object.created_at, customer.stripe_customer_id AS customer, stripe_invoice_id,
                      object.currency, amount, subtotal, tax, status
               FROM credit_notes object JOIN customers customer ON customer.id = object.customer_id WHERE "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id,
            created: row.created_at.unix_timestamp(),
            customer: row.customer,
            invoice: Some(row.stripe_invoice_id),
            currency: row.currency.parse().ok(),
            status: Some(row.status),
            figures: vec![Figure::money("amount", row.amount), Figure::money("subtotal", row.subtotal), Figure::money("tax", row.tax)],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

macro_rules! customers {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_customer_id AS "id!", object.created_at, balance, event_created_at IS NOT NULL AS "told!"
               FROM customers object WHERE object.stripe_customer_id IS NOT NULL AND NOT deleted AND "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id.clone(),
            created: row.created_at.unix_timestamp(),
            customer: Some(row.id),
            // Until Stripe has told of the customer, what it owes is not known here.
            figures: vec![Figure::unsure("balance", Some(row.balance).filter(|_| row.told), Unit::Money)],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

macro_rules! payments {
    ($pool:expr, $where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT object.stripe_payment_id AS "id!", object.at AS "at!", customer.stripe_customer_id AS "customer?",
                      object.stripe_invoice_id AS "stripe_invoice_id!", invoice.currency AS "currency?", amount AS "amount!",
                      object.status AS "status!"
               FROM invoice_payments object LEFT JOIN customers customer ON customer.id = object.customer_id
                    LEFT JOIN invoices invoice ON invoice.stripe_invoice_id = object.stripe_invoice_id
               WHERE "# + $where,
            $($argument),*
        )
        .map(|row| Record {
            id: row.id,
            created: row.at.unix_timestamp(),
            customer: row.customer,
            invoice: Some(row.stripe_invoice_id),
            currency: row.currency.and_then(|code| code.parse().ok()),
            status: Some(row.status),
            figures: vec![Figure::money("amount", row.amount)],
            ..Record::default()
        })
        .fetch_all($pool)
        .await
    };
}

/// A page of what the mirror holds of a kind, newest first, after a place. Of kinds that Stripe lists in the same order.
pub async fn page(pool: &PgPool, object: Object, scope: Scope, after: &Place, limit: i64) -> sqlx::Result<Vec<Record>> {
    let (customer, from) = (scope.customer.map(|customer| customer.0), scope.from);
    let Place { before, id } = after;
    match object {
        Object::Invoice => invoices!(
            pool,
            "(object.created_at, object.stripe_invoice_id) < ($1, $2) AND ($3::timestamptz IS NULL OR object.created_at >= $3)
             AND ($4::uuid IS NULL OR object.customer_id = $4) ORDER BY object.created_at DESC, object.stripe_invoice_id DESC LIMIT $5",
            before,
            id,
            from,
            customer,
            limit
        ),
        Object::Subscription => subscriptions!(
            pool,
            "(object.created_at, object.stripe_subscription_id) < ($1, $2) AND ($3::timestamptz IS NULL OR object.created_at >= $3)
             AND ($4::uuid IS NULL OR object.customer_id = $4) ORDER BY object.created_at DESC, object.stripe_subscription_id DESC LIMIT $5",
            before,
            id,
            from,
            customer,
            limit
        ),
        Object::Charge => charges!(
            pool,
            "(object.created_at, object.stripe_charge_id) < ($1, $2) AND ($3::timestamptz IS NULL OR object.created_at >= $3)
             AND ($4::uuid IS NULL OR object.customer_id = $4) ORDER BY object.created_at DESC, object.stripe_charge_id DESC LIMIT $5",
            before,
            id,
            from,
            customer,
            limit
        ),
        Object::Refund => refunds!(
            pool,
            "(object.created_at, object.stripe_refund_id) < ($1, $2) AND ($3::timestamptz IS NULL OR object.created_at >= $3)
             AND ($4::uuid IS NULL OR object.customer_id = $4) ORDER BY object.created_at DESC, object.stripe_refund_id DESC LIMIT $5",
            before,
            id,
            from,
            customer,
            limit
        ),
        Object::CreditNote => credit_notes!(
            pool,
            "(object.created_at, object.stripe_credit_note_id) < ($1, $2) AND ($3::timestamptz IS NULL OR object.created_at >= $3)
             AND ($4::uuid IS NULL OR object.customer_id = $4) ORDER BY object.created_at DESC, object.stripe_credit_note_id DESC LIMIT $5",
            before,
            id,
            from,
            customer,
            limit
        ),
        Object::Customer | Object::InvoicePayment | Object::Meter | Object::Event => Ok(Vec::new()),
    }
}

/// What the mirror holds of these.
pub async fn by_ids(pool: &PgPool, object: Object, ids: &[&str]) -> sqlx::Result<Vec<Record>> {
    match object {
        Object::Invoice => invoices!(pool, "object.stripe_invoice_id = ANY($1)", ids as &[&str]),
        Object::Subscription => subscriptions!(pool, "object.stripe_subscription_id = ANY($1)", ids as &[&str]),
        Object::Charge => charges!(pool, "object.stripe_charge_id = ANY($1)", ids as &[&str]),
        Object::Refund => refunds!(pool, "object.stripe_refund_id = ANY($1)", ids as &[&str]),
        Object::CreditNote => credit_notes!(pool, "object.stripe_credit_note_id = ANY($1)", ids as &[&str]),
        Object::Customer => customers!(pool, "object.stripe_customer_id = ANY($1)", ids as &[&str]),
        Object::InvoicePayment => payments!(pool, "object.stripe_payment_id = ANY($1)", ids as &[&str]),
        Object::Meter | Object::Event => Ok(Vec::new()),
    }
}

/// What was read off these invoices, of an older API version, instead of Stripe's own payments.
pub async fn payments_from_invoices(pool: &PgPool, invoices: &[&str]) -> sqlx::Result<Vec<Record>> {
    payments!(pool, "object.from_invoice AND object.stripe_invoice_id = ANY($1)", invoices as &[&str])
}

/// Customers that Stripe should have and a run has not seen there, by id after `after`.
pub async fn unseen_customers(pool: &PgPool, run: uuid::Uuid, scope: Scope, after: &str, limit: i64) -> sqlx::Result<Vec<Record>> {
    customers!(
        pool,
        r#"($2::timestamptz IS NULL OR object.created_at >= $2) AND ($3::uuid IS NULL OR object.id = $3)
           AND object.stripe_customer_id COLLATE "C" > $4
           AND NOT EXISTS (SELECT FROM reconciliation_seen WHERE reconciliation_id = $1 AND object_id = object.stripe_customer_id)
           ORDER BY object.stripe_customer_id COLLATE "C" LIMIT $5"#,
        run,
        scope.from,
        scope.customer.map(|customer| customer.0),
        after,
        limit
    )
}

/// Stripe's own payments that a run has not seen there, by id after `after`.
pub async fn unseen_payments(
    pool: &PgPool,
    run: uuid::Uuid,
    scope: Scope,
    until: OffsetDateTime,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<Record>> {
    payments!(
        pool,
        r#"NOT object.from_invoice AND ($2::timestamptz IS NULL OR object.at >= $2) AND object.at < $3
           AND ($4::uuid IS NULL OR object.customer_id = $4) AND object.stripe_payment_id COLLATE "C" > $5
           AND NOT EXISTS (SELECT FROM reconciliation_seen WHERE reconciliation_id = $1 AND object_id = object.stripe_payment_id)
           ORDER BY object.stripe_payment_id COLLATE "C" LIMIT $6"#,
        run,
        scope.from,
        until,
        scope.customer.map(|customer| customer.0),
        after,
        limit
    )
}

/// Customers that Stripe knows, with Stripe's ids, in the order of ours after one of them.
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

/// Prices that lines of invoices name, by id after `after`.
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

/// What an invoice bills of a metric in a period, and what was used of it in the hours that begin in that period.
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

/// Usage on invoices that are final, by the invoices' ids after `after`: so many invoices, or those that are named.
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
                      least(sum(coalesce(line.quantity, 0)), 9223372036854775807)::bigint AS quantity
               FROM page JOIN invoice_line_items line ON line.invoice_id = page.id JOIN metered USING (price_id)
               WHERE NOT line.proration AND line.period_start < line.period_end
               GROUP BY page.customer_id, stripe_invoice_id, stripe_subscription_id, metric, line.period_start, line.period_end
           )
           SELECT stripe_invoice_id AS "invoice!", stripe_customer_id AS "stripe_customer!", stripe_subscription_id AS subscription, metric AS "metric!",
                  period_start AS "start!", period_end AS "end!", billed.quantity AS "billed!", used.quantity AS "used!"
           FROM billed JOIN customers ON customers.id = billed.customer_id
                CROSS JOIN LATERAL (SELECT least(coalesce(sum(CASE billed.metric WHEN 'impressions' THEN impressions WHEN 'api_calls' THEN api_calls
                                                                         ELSE data_transfer_bytes END), 0), 9223372036854775807)::bigint AS quantity
                                    FROM usage_customer_hours hours WHERE hours.customer_id = billed.customer_id
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

/// About how many objects a run will come to.
pub async fn count(pool: &PgPool, scope: Scope, until: OffsetDateTime) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT ((SELECT count(*) FROM invoices WHERE NOT deleted AND created_at < $1 AND ($2::timestamptz IS NULL OR created_at >= $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))
                 + (SELECT count(*) FROM subscriptions WHERE created_at < $1 AND ($2::timestamptz IS NULL OR created_at >= $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))
                 + (SELECT count(*) FROM charges WHERE created_at < $1 AND ($2::timestamptz IS NULL OR created_at >= $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))
                 + (SELECT count(*) FROM refunds WHERE created_at < $1 AND ($2::timestamptz IS NULL OR created_at >= $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))
                 + (SELECT count(*) FROM credit_notes WHERE created_at < $1 AND ($2::timestamptz IS NULL OR created_at >= $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))
                 + (SELECT count(*) FROM invoice_payments WHERE at < $1 AND ($2::timestamptz IS NULL OR at >= $2)
                       AND ($3::uuid IS NULL OR customer_id = $3))
                 + (SELECT count(*) FROM customers WHERE stripe_customer_id IS NOT NULL AND NOT deleted AND ($3::uuid IS NULL OR id = $3))) AS "count!""#,
        until,
        scope.from,
        scope.customer.map(|customer| customer.0),
    )
    .fetch_one(pool)
    .await
}

/// Stripe's ids of the customers whose these objects are, by the objects' ids; without those that are nobody's here.
pub async fn owners(pool: &PgPool, records: &[&Record]) -> sqlx::Result<HashMap<String, String>> {
    let all = |pick: fn(&Record) -> Option<&str>| -> Vec<&str> { records.iter().filter_map(|record| pick(record)).collect() };
    let names = all(|record| record.customer.as_deref());
    let (invoices, charges, intents) =
        (all(|record| record.invoice.as_deref()), all(|record| record.charge.as_deref()), all(|record| record.payment_intent.as_deref()));
    let rows = sqlx::query!(
        r#"SELECT stripe_customer_id AS "key!", stripe_customer_id AS "customer!" FROM customers WHERE stripe_customer_id = ANY($1)
           UNION ALL SELECT parent.stripe_invoice_id, stripe_customer_id FROM invoices parent JOIN customers ON customers.id = parent.customer_id
               WHERE parent.stripe_invoice_id = ANY($2) AND stripe_customer_id IS NOT NULL
           UNION ALL SELECT parent.stripe_charge_id, stripe_customer_id FROM charges parent JOIN customers ON customers.id = parent.customer_id
               WHERE parent.stripe_charge_id = ANY($3) AND stripe_customer_id IS NOT NULL
           UNION ALL SELECT parent.payment_intent, stripe_customer_id FROM charges parent JOIN customers ON customers.id = parent.customer_id
               WHERE parent.payment_intent = ANY($4) AND stripe_customer_id IS NOT NULL"#,
        &names as &[&str],
        &invoices as &[&str],
        &charges as &[&str],
        &intents as &[&str],
    )
    .fetch_all(pool)
    .await?;
    let known: HashMap<String, String> = rows.into_iter().map(|row| (row.key, row.customer)).collect();
    let owner = |record: &Record| match &record.customer {
        Some(name) => known.get(name),
        None => [&record.charge, &record.payment_intent, &record.invoice].into_iter().flatten().find_map(|key| known.get(key)),
    };
    Ok(records.iter().filter_map(|record| Some((record.id.clone(), owner(record)?.clone()))).collect())
}
