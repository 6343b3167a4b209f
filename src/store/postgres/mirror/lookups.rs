//! Tax rates and prices: known ones, ids that are named and not known yet, and the invoices that wait for them.

use crate::domain::{
    invoice::TransformQuantity,
    mirror::snapshot::{Lookup, Named, TaxRateSnapshot},
};
use sqlx::{PgConnection, PgPool, types::Json};
use std::collections::{BTreeSet, HashSet};
use time::{Duration, OffsetDateTime};

/// How long an id stays in the queue once it is known: longer than any transaction that found it unknown.
const AFTERWARDS: Duration = Duration::minutes(1);

/// Invoices that are shown anew in one statement.
const AT_ONCE: i64 = 500;

/// Stores the rates that came whole and queues the ids that nothing here knows; gives those. No statement where nothing is named.
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

/// An id that is to be looked up, or whose invoices are to be shown anew.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: String,
    pub lookup: Lookup,
    pub known: bool,
}

/// Ids whose turn it is, the least tried first. After a failure the wait is a minute, and four times longer after every further one, up to a day.
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
        let lookup = Lookup::of_object(&object).ok_or_else(|| sqlx::Error::Decode(format!("`{object}` is not looked up").into()))?;
        Ok(Due { id: object_id, lookup, known })
    };
    rows.into_iter().map(|row| due((row.object_id, row.object, row.known))).collect()
}

/// Stores a tax rate that was fetched.
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

/// Stores what of a price that was fetched matters here.
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

/// Notes a try that brought nothing.
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

/// Has the invoices that wait for an object shown with it, or without it if Stripe does not have it, some at a time, and takes the object from the queue a while after the last of them:
/// what another transaction wrote meanwhile is found the next time. Invoices that are being written are left for then, so that nothing waits.
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
