//! Tax rates and prices: known ones, referenced unknown ids, and the invoices that wait for them.

use crate::domain::{
    invoice::TransformQuantity,
    mirror::snapshot::{Lookup, Named, TaxRateSnapshot},
};
use sqlx::{PgConnection, PgPool, types::Json};
use std::collections::{BTreeSet, HashSet};
use time::{Duration, OffsetDateTime};

/// How long a known id stays in the queue: longer than any transaction that found it unknown.
const AFTERWARDS: Duration = Duration::minutes(1);

/// Invoices updated per statement.
const AT_ONCE: i64 = 500;

/// Stores complete rates, and queues and returns unknown ids. Runs no statement if nothing is
/// referenced.
pub async fn learn<'a>(conn: &mut PgConnection, named: impl Iterator<Item = &'a Named>) -> sqlx::Result<HashSet<String>> {
    let (mut rates, mut ids) = (Vec::<&TaxRateSnapshot>::new(), BTreeSet::new());
    for Named { rates: whole, ids: by_id } in named {
        rates.extend(whole);
        ids.extend(by_id);
    }
    if rates.is_empty() && ids.is_empty() {
        return Ok(HashSet::new());
    }
    let (objects, ids): (Vec<&str>, Vec<&str>) = ids.into_iter().map(|(lookup, id)| (lookup.object(), id.as_str())).unzip();
    let unknown = sqlx::query_file_scalar!("src/store/postgres/mirror/learn.sql", Json(rates) as _, &objects as &[&str], &ids as &[&str]);
    unknown.fetch_all(conn).await.map(|ids| ids.into_iter().collect())
}

/// An id to be fetched, or whose invoices need an update.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: String,
    pub lookup: Lookup,
    pub known: bool,
}

/// Due ids, least attempts first. The delay after a failure is a minute, and four times longer
/// after each further one, up to a day.
pub async fn due(pool: &PgPool, now: OffsetDateTime, limit: i64) -> sqlx::Result<Vec<Due>> {
    let rows = sqlx::query!(
        r#"SELECT object_id, object,
                  EXISTS (SELECT FROM tax_rates WHERE stripe_tax_rate_id = object_id)
                  OR EXISTS (SELECT FROM prices WHERE stripe_price_id = object_id) AS "known!"
           FROM stripe_lookups
           WHERE NOT missing
             AND (tried_at IS NULL OR known_at IS NOT NULL
                  OR tried_at <= $1::timestamptz - least(interval '1 minute' * power(4, least(attempts, 10) - 1), interval '1 day'))
           ORDER BY attempts, object_id LIMIT $2"#,
        now,
        limit,
    )
    .fetch_all(pool)
    .await?;
    let due = |(object_id, object, known): (String, String, bool)| {
        let lookup = Lookup::of_object(&object).ok_or_else(|| sqlx::Error::Decode(format!("`{object}` is not a looked-up type").into()))?;
        Ok(Due { id: object_id, lookup, known })
    };
    rows.into_iter().map(|row| due((row.object_id, row.object, row.known))).collect()
}

/// Stores a fetched tax rate.
pub async fn put_tax_rate(pool: &PgPool, rate: &TaxRateSnapshot) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO tax_rates (stripe_tax_rate_id, display_name, percentage, inclusive, tax_type, country, state, jurisdiction)
         VALUES ($1, $2, $3::text::numeric, $4, $5, $6, $7, $8)
         ON CONFLICT (stripe_tax_rate_id) DO UPDATE SET display_name = excluded.display_name, percentage = excluded.percentage,
             inclusive = excluded.inclusive, tax_type = excluded.tax_type, country = excluded.country, state = excluded.state,
             jurisdiction = excluded.jurisdiction, fetched_at = now()",
        rate.id,
        rate.display_name,
        rate.percentage,
        rate.inclusive,
        rate.tax_type,
        rate.country,
        rate.state,
        rate.jurisdiction,
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Stores the needed fields of a fetched price.
pub async fn put_price(pool: &PgPool, id: &str, transform_quantity: Option<TransformQuantity>) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO prices (stripe_price_id, transform_quantity) VALUES ($1, $2)
         ON CONFLICT (stripe_price_id) DO UPDATE SET transform_quantity = excluded.transform_quantity, fetched_at = now()",
        id,
        transform_quantity.map(Json) as _,
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Records a failed attempt.
pub async fn failed(pool: &PgPool, id: &str, error: &str, missing: bool, at: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE stripe_lookups SET attempts = attempts + 1, tried_at = $4, last_error = $2, missing = $3 WHERE object_id = $1",
        id,
        error,
        missing,
        at,
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Updates some of the invoices that wait for an object, with it, or without it if Stripe does not
/// have it. Removes the object from the queue some time after the last invoice: invoices that other
/// transactions wrote meanwhile are found the next time. Locked invoices are skipped until then.
pub async fn settle(pool: &PgPool, id: &str, at: OffsetDateTime) -> sqlx::Result<()> {
    loop {
        let settled = sqlx::query_file_scalar!("src/store/postgres/mirror/settle_lookup.sql", id, AT_ONCE).fetch_one(pool).await?;
        if settled == 0 {
            break;
        }
    }
    sqlx::query!(
        "UPDATE stripe_lookups SET known_at = coalesce(known_at, $2), tried_at = $2, last_error = NULL WHERE object_id = $1",
        id,
        at,
    )
    .execute(pool)
    .await?;
    sqlx::query!(
        "DELETE FROM stripe_lookups WHERE object_id = $1 AND known_at <= $2 AND NOT missing
         AND NOT EXISTS (SELECT FROM invoices WHERE lookups @> ARRAY[$1])",
        id,
        at - AFTERWARDS,
    )
    .execute(pool)
    .await
    .map(drop)
}
