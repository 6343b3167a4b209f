//! Usage: the store with raw events in PostgreSQL, the hourly records, and plans.

pub mod accept;
mod bulk;
pub mod corrections;
pub mod destination;
pub mod differences;
pub mod history;
pub mod ids;
pub mod moves;
mod postgres_store;
pub mod records;
pub mod retention;
pub mod shipping;
pub mod splits;

pub use postgres_store::PostgresUsage;

use crate::{
    domain::{
        identity::CustomerId,
        metric::{Metric, PerMetric, Quantities},
        money::Currency,
        period::Period,
        plan::{Offer, Plan, PlanType, Terms},
    },
    store::{
        postgres::decode,
        usage::{Figures, HourlyUsage},
    },
};
use sqlx::{PgExecutor, PgPool};
use std::num::NonZeroU64;
use time::OffsetDateTime;

/// Creates the monthly partitions of the event table for the span.
pub async fn ensure_partitions(pool: &PgPool, since: OffsetDateTime, until: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("SELECT usage_events_ensure_partitions($1, $2)", since, until).execute(pool).await.map(drop)
}

/// A customer's hours of a span, over its apps: one row for each metric, so that the time doesn't
/// depend on the number of apps and events.
pub async fn figures(pool: &PgPool, customer: CustomerId, span: Period) -> sqlx::Result<Figures> {
    // One row for each metric, its hours in arrays: thousands of small rows take longer to read.
    let rows = sqlx::query!(
        r#"SELECT metric, array_agg(hour) AS "hours!", array_agg(quantity) AS "quantities!", array_agg(as_of) AS "as_of!"
           FROM usage_customer_metric_hours
           WHERE customer_id = $1 AND metric = ANY($2) AND hour >= $3 AND hour < $4 GROUP BY metric"#,
        customer.0,
        &Metric::names() as &[&str],
        span.start(),
        span.end(),
    )
    .fetch_all(pool)
    .await?;
    let mut all: Vec<(OffsetDateTime, Metric, u64, OffsetDateTime)> = Vec::new();
    for row in rows {
        let metric: Metric = decode(&row.metric)?;
        let hours = row.hours.into_iter().zip(row.quantities).zip(row.as_of);
        all.extend(hours.map(|((hour, quantity), as_of)| (hour, metric, count(quantity), as_of)));
    }
    all.sort_unstable_by_key(|(hour, ..)| *hour);
    let hours = all.chunk_by(|(one, ..), (other, ..)| one == other).map(|of_hour| {
        let (hour, _, _, as_of) = of_hour[0];
        of_hour.iter().fold(HourlyUsage { hour, quantities: Quantities::default(), as_of }, |sum, (_, metric, quantity, as_of)| {
            HourlyUsage { quantities: sum.quantities.with(*metric, *quantity), as_of: sum.as_of.max(*as_of), hour }
        })
    });
    Ok(Figures { hours: hours.collect(), waiting_since: None })
}

/// The version of a plan for a period that begins at an instant: its included quantities, and its
/// prices in the currency, if any. None if no version existed at that time.
pub async fn offer(
    db: impl PgExecutor<'_>,
    plan_type: PlanType,
    currency: Currency,
    period_start: OffsetDateTime,
) -> sqlx::Result<Option<Offer>> {
    let rows = sqlx::query!(
        r#"SELECT version AS "version!", metrics.metric AS "metric!", coalesce(quota.included, 0) AS "included!", package AS "package?", price AS "price?"
           FROM plans CROSS JOIN unnest($4::text[]) AS metrics (metric)
                LEFT JOIN plan_quotas quota ON quota.plan_id = plans.id AND quota.metric = metrics.metric
                LEFT JOIN plan_prices price ON price.plan_id = plans.id AND price.metric = metrics.metric AND currency = $2
           WHERE plan_type = $1 AND version = (SELECT max(version) FROM plans WHERE plan_type = $1 AND valid_from <= $3)"#,
        plan_type.as_str(),
        currency.code(),
        period_start,
        &Metric::names() as &[&str],
    )
    .fetch_all(db)
    .await?;
    let Some(version) = rows.first().map(|row| row.version) else { return Ok(None) };
    let mut included = Quantities::default();
    let mut terms = PerMetric::default();
    for row in rows {
        let metric: Metric = decode(&row.metric)?;
        included[metric] = count(row.included);
        terms[metric] = row.package.zip(row.price).map(|(package, price)| Terms {
            included: included[metric],
            package: NonZeroU64::new(count(package)).unwrap_or(NonZeroU64::MIN),
            price_per_package: u32::try_from(price).unwrap_or(0),
        });
    }
    // A plan that lacks the price of one metric can't be rated at all.
    let prices = terms.transpose().map(|terms| Plan { plan_type, version, currency, terms });
    Ok(Some(Offer { plan_type, included, prices }))
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
