//! Discrepancies of runs.

use super::decode;
use crate::domain::{
    identity::CustomerId,
    money::Currency,
    reconcile::{Discrepancy, Field, FoundDiscrepancy, Kind, KindCount, Millionths, Object, Said, Totals},
};
use sqlx::{PgConnection, PgPool, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

/// Stores suspected or confirmed discrepancies.
pub async fn note(conn: &mut PgConnection, run: Uuid, found: &[Discrepancy], confirmed: bool) -> sqlx::Result<()> {
    sqlx::query!(
        r#"INSERT INTO reconciliation_discrepancies
               (reconciliation_id, confirmed, kind, object, object_id, customer_id, stripe_customer_id, subscription_id, invoice_id, metric, field,
                internal_value, stripe_value, difference, share, amount, currency, within_tolerance, fields)
           SELECT $1, $2, kind, object, object_id, customers.id, found.stripe_customer_id, subscription_id, invoice_id, metric, field,
                nullif(internal_value, 'null'), nullif(stripe_value, 'null'), difference, round(percentage_diff * 10000)::bigint, amount,
                found.currency, within_tolerance, fields
           FROM jsonb_to_recordset($3::jsonb) AS found(kind text, object text, object_id text, stripe_customer_id text, subscription_id text,
                invoice_id text, metric text, field text, internal_value jsonb, stripe_value jsonb, difference bigint, percentage_diff numeric,
                amount bigint, currency text, within_tolerance boolean, fields jsonb)
                LEFT JOIN customers ON customers.stripe_customer_id = found.stripe_customer_id
           ON CONFLICT (reconciliation_id, kind, object, object_id) DO NOTHING"#,
        run,
        confirmed,
        Json(found) as _,
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Which of these objects have a suspected or confirmed discrepancy of a kind.
pub async fn noted(pool: &PgPool, run: Uuid, kind: Kind, object: Object, ids: &[&str]) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "SELECT object_id FROM reconciliation_discrepancies
         WHERE reconciliation_id = $1 AND kind = $2 AND object = $3 AND object_id = ANY($4)",
        run,
        kind.as_str(),
        object.as_str(),
        ids as &[&str],
    )
    .fetch_all(pool)
    .await
}

/// Suspected discrepancies of one object.
#[derive(Clone, Debug)]
pub struct Suspect {
    pub object: Object,
    pub object_id: String,
    /// All of them.
    pub kinds: Vec<Kind>,
    pub metric: Option<String>,
    pub invoice: Option<String>,
    pub stripe_customer: Option<String>,
}

/// Suspected discrepancies that were not compared again yet, in order.
pub async fn suspects(pool: &PgPool, run: Uuid, limit: i64) -> sqlx::Result<Vec<Suspect>> {
    let rows = sqlx::query!(
        r#"SELECT object, object_id, array_agg(kind) AS "kinds!", min(metric) AS metric, min(invoice_id) AS invoice_id,
                  min(stripe_customer_id) AS stripe_customer_id
           FROM reconciliation_discrepancies WHERE reconciliation_id = $1 AND NOT confirmed
           GROUP BY object, object_id ORDER BY object, object_id LIMIT $2"#,
        run,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Suspect {
                object: decode(&row.object)?,
                object_id: row.object_id,
                kinds: row.kinds.iter().map(|kind| decode(kind)).collect::<sqlx::Result<_>>()?,
                metric: row.metric,
                invoice: row.invoice_id,
                stripe_customer: row.stripe_customer_id,
            })
        })
        .collect()
}

/// Replaces an object's suspected discrepancies with those of the second comparison.
pub async fn settle(conn: &mut PgConnection, run: Uuid, suspect: &Suspect, found: &[Discrepancy]) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM reconciliation_discrepancies WHERE reconciliation_id = $1 AND object = $2 AND object_id = $3 AND NOT confirmed",
        run,
        suspect.object.as_str(),
        suspect.object_id,
    )
    .execute(&mut *conn)
    .await?;
    note(conn, run, found, true).await
}

/// Confirms the suspected discrepancies of these objects of one kind.
pub async fn confirm(conn: &mut PgConnection, run: Uuid, object: Object, ids: &[&str]) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE reconciliation_discrepancies SET confirmed = true WHERE reconciliation_id = $1 AND object = $2 AND object_id = ANY($3)",
        run,
        object.as_str(),
        ids as &[&str],
    )
    .execute(conn)
    .await
    .map(drop)
}

/// Totals of a run's discrepancies.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    pub count: i64,
    pub repaired: i64,
    pub totals: Totals,
    pub within_tolerance: bool,
    pub kinds: Vec<KindCount>,
}

/// Computes the totals of a run.
pub async fn sum(conn: &mut PgConnection, run: Uuid) -> sqlx::Result<Sum> {
    let rows = sqlx::query!(
        r#"SELECT kind, currency, count(*) AS "count!", count(repaired_at) AS "repaired!", bool_and(within_tolerance) AS "within!",
                  least(sum(amount), 9223372036854775807)::bigint AS "amount!"
           FROM reconciliation_discrepancies WHERE reconciliation_id = $1 GROUP BY kind, currency"#,
        run
    )
    .fetch_all(conn)
    .await?;
    let mut sum = Sum { within_tolerance: true, ..Sum::default() };
    for row in rows {
        let kind: Kind = decode(&row.kind)?;
        sum.count += row.count;
        sum.repaired += row.repaired;
        sum.within_tolerance &= row.within;
        match sum.kinds.iter_mut().find(|count| count.kind == kind) {
            Some(known) => known.count += row.count,
            None => sum.kinds.push(KindCount { kind, count: row.count }),
        }
        if let Some(currency) = row.currency.filter(|_| row.amount > 0).and_then(|code| code.parse::<Currency>().ok()) {
            crate::domain::reconcile::add_up(&mut sum.totals, currency, row.amount);
        }
    }
    sum.kinds.sort_by_key(|count| count.kind);
    Ok(sum)
}

macro_rules! discrepancies {
    ($where:tt, $($argument:expr),*) => {
        sqlx::query!(
            r#"SELECT found.id, kind, object, object_id, found.customer_id, customer.name AS "customer?", found.stripe_customer_id, subscription_id,
                      invoice_id, metric, field, internal_value AS "internal_value: Json<Said>", stripe_value AS "stripe_value: Json<Said>",
                      difference, share, amount, found.currency, within_tolerance, fields AS "fields: Json<Vec<Field>>", repaired_at, repair_error
               FROM reconciliation_discrepancies found LEFT JOIN customers customer ON customer.id = found.customer_id "# + $where,
            $($argument),*
        )
        .map(|row| {
            Ok(FoundDiscrepancy {
                id: row.id,
                discrepancy: Discrepancy {
                    kind: decode(&row.kind)?,
                    object: decode(&row.object)?,
                    object_id: row.object_id,
                    stripe_customer_id: row.stripe_customer_id,
                    subscription_id: row.subscription_id,
                    invoice_id: row.invoice_id,
                    metric: row.metric,
                    field: row.field,
                    internal_value: row.internal_value.map(|said| said.0),
                    stripe_value: row.stripe_value.map(|said| said.0),
                    difference: row.difference,
                    percentage_diff: row.share.map(Millionths),
                    amount: row.amount,
                    currency: row.currency.and_then(|code| code.parse().ok()),
                    within_tolerance: row.within_tolerance,
                    fields: row.fields.0,
                },
                customer_id: row.customer_id.map(CustomerId),
                customer: row.customer,
                repaired_at: row.repaired_at,
                repair_error: row.repair_error,
            })
        })
    };
}

/// A run's discrepancies, largest amounts first.
pub async fn page(pool: &PgPool, run: Uuid, kind: Option<Kind>, limit: i64, offset: i64) -> sqlx::Result<Vec<FoundDiscrepancy>> {
    let rows: Vec<sqlx::Result<_>> = discrepancies!(
        "WHERE found.reconciliation_id = $1 AND ($2::text IS NULL OR kind = $2) ORDER BY amount DESC, found.id LIMIT $3 OFFSET $4",
        run,
        kind.map(Kind::as_str),
        limit,
        offset
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().collect()
}

/// A run's discrepancies in the order in which they were found, after one of them.
pub async fn after(conn: &mut PgConnection, run: Uuid, after: i64, limit: i64) -> sqlx::Result<Vec<FoundDiscrepancy>> {
    let rows: Vec<sqlx::Result<_>> =
        discrepancies!("WHERE found.reconciliation_id = $1 AND found.id > $2 ORDER BY found.id LIMIT $3", run, after, limit)
            .fetch_all(conn)
            .await?;
    rows.into_iter().collect()
}

/// One discrepancy of a run.
pub async fn one(pool: &PgPool, run: Uuid, id: i64) -> sqlx::Result<Option<FoundDiscrepancy>> {
    discrepancies!("WHERE found.reconciliation_id = $1 AND found.id = $2", run, id).fetch_optional(pool).await?.transpose()
}

/// A run's unrepaired discrepancies, after one of them.
pub async fn unrepaired(pool: &PgPool, run: Uuid, after: i64, limit: i64) -> sqlx::Result<Vec<FoundDiscrepancy>> {
    let rows: Vec<sqlx::Result<_>> = discrepancies!(
        "WHERE found.reconciliation_id = $1 AND confirmed AND repaired_at IS NULL AND found.id > $2 ORDER BY found.id LIMIT $3",
        run,
        after,
        limit
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().collect()
}

/// Stores a repair's result.
pub async fn repaired(conn: &mut PgConnection, id: i64, at: OffsetDateTime, error: Option<&str>) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH done AS (
             UPDATE reconciliation_discrepancies SET repaired_at = CASE WHEN $3::text IS NULL THEN $2::timestamptz END, repair_error = $3
             WHERE id = $1 AND repaired_at IS NULL RETURNING reconciliation_id, repaired_at
         )
         UPDATE reconciliations SET repaired = repaired + 1 FROM done WHERE reconciliations.id = done.reconciliation_id AND done.repaired_at IS NOT NULL",
        id,
        at,
        error,
    )
    .execute(conn)
    .await
    .map(drop)
}
