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
        metric::Metric,
        money::Currency,
        period::Period,
        plan::{Offer, Plan, PlanType, Terms},
        usage::Quantities,
    },
    store::usage::{Figures, HourlyUsage},
};
use sqlx::PgPool;
use std::num::NonZeroU64;
use time::OffsetDateTime;

/// Creates the monthly partitions of the event table for the span.
pub async fn ensure_partitions(pool: &PgPool, since: OffsetDateTime, until: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("SELECT usage_events_ensure_partitions($1, $2)", since, until).execute(pool).await.map(drop)
}

/// A customer's hours of a span, over its apps: one row each, so that the time doesn't depend on
/// the number of apps and events.
pub async fn figures(pool: &PgPool, customer: CustomerId, span: Period) -> sqlx::Result<Figures> {
    let rows = sqlx::query!(
        "SELECT hour, impressions, api_calls, data_transfer_bytes, as_of FROM usage_customer_hours
         WHERE customer_id = $1 AND hour >= $2 AND hour < $3 ORDER BY hour",
        customer.0,
        span.start(),
        span.end(),
    )
    .fetch_all(pool)
    .await?;
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let hours = rows
        .into_iter()
        .map(|row| HourlyUsage {
            hour: row.hour,
            quantities: Quantities {
                impressions: count(row.impressions),
                api_calls: count(row.api_calls),
                data_transfer: count(row.data_transfer_bytes),
            },
            as_of: row.as_of,
        })
        .collect();
    Ok(Figures { hours, waiting_since: None })
}

/// The version of a plan for a period that begins at an instant: its included quantities, and its
/// prices in the currency, if any. None if no version existed at that time.
pub async fn offer(pool: &PgPool, plan_type: PlanType, currency: Currency, period_start: OffsetDateTime) -> sqlx::Result<Option<Offer>> {
    let rows = sqlx::query!(
        r#"SELECT version, included_impressions, included_api_calls, included_data_transfer_bytes, metric AS "metric?", package AS "package?",
                  price AS "price?"
           FROM plans LEFT JOIN plan_prices ON plan_id = plans.id AND currency = $2
           WHERE plan_type = $1 AND version = (SELECT max(version) FROM plans WHERE plan_type = $1 AND valid_from <= $3)"#,
        plan_type.as_str(),
        currency.code(),
        period_start,
    )
    .fetch_all(pool)
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let count = |included: i64| u64::try_from(included).unwrap_or(0);
    let included = Quantities {
        impressions: count(first.included_impressions),
        api_calls: count(first.included_api_calls),
        data_transfer: count(first.included_data_transfer_bytes),
    };
    let terms = |metric: Metric| {
        let row = rows.iter().find(|row| row.metric.as_deref() == Some(metric.as_str()))?;
        Some(Terms {
            included: included[metric],
            package: u64::try_from(row.package?).ok().and_then(NonZeroU64::new).unwrap_or(NonZeroU64::MIN),
            price_per_package: u32::try_from(row.price?).unwrap_or(0),
        })
    };
    // A plan that lacks the price of one metric can't be rated at all.
    let all = terms(Metric::Impressions).zip(terms(Metric::ApiCalls)).zip(terms(Metric::DataTransferBytes));
    let prices = all.map(|((impressions, api_calls), data_transfer)| Plan {
        plan_type,
        version: first.version,
        currency,
        impressions,
        api_calls,
        data_transfer,
    });
    Ok(Some(Offer { plan_type, included, prices }))
}
