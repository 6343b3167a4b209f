//! Usage: the store that keeps the raw events in PostgreSQL, the hourly records that everybody reads, and the plan that they are rated by.

pub mod accept;
mod bulk;
pub mod corrections;
pub mod differences;
pub mod history;
pub mod ids;
pub mod moves;
mod own;
pub mod records;
pub mod retention;
pub mod shipping;

pub use own::PostgresUsage;

use super::decode;
use crate::domain::{
    identity::CustomerId,
    metric::Metric,
    money::Currency,
    period::Period,
    plan::{Plan, PlanType, Terms},
    usage::Quantities,
};
use crate::store::usage::{Figures, HourlyUsage};
use sqlx::PgPool;
use std::num::NonZeroU64;
use time::OffsetDateTime;

/// Makes the monthly partitions of the event table that hold the span.
pub async fn ensure_partitions(pool: &PgPool, since: OffsetDateTime, until: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("SELECT usage_events_ensure_partitions($1, $2)", since, until).execute(pool).await.map(drop)
}

/// A customer's hours of a span, over its apps: a row each, so that it takes the same time however many apps and events there are.
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

/// The subscription that a customer is billed by.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub status: String,
    pub plan_type: Option<PlanType>,
    pub currency: Currency,
    pub period: Option<Period>,
    pub cancel_at_period_end: bool,
}

/// The customer's running subscription, the newest if there are several; None when there is none or it has ended.
pub async fn subscription(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Option<Subscription>> {
    let row = sqlx::query!(
        "SELECT status, plan_type, currency, current_period_start, current_period_end, cancel_at_period_end
         FROM subscriptions
         WHERE customer_id = $1 AND NOT deleted AND status NOT IN ('canceled', 'incomplete_expired')
         ORDER BY status IN ('active', 'trialing') DESC, created_at DESC LIMIT 1",
        customer.0
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(Subscription {
            status: row.status,
            plan_type: row.plan_type.map(|plan| decode(&plan)).transpose()?,
            currency: decode(&row.currency)?,
            period: row.current_period_start.zip(row.current_period_end).and_then(|(start, end)| Period::new(start, end)),
            cancel_at_period_end: row.cancel_at_period_end,
        })
    })
    .transpose()
}

/// The version of a plan that rates a period beginning at an instant, with its prices in a currency.
pub async fn plan(pool: &PgPool, plan_type: PlanType, currency: Currency, period_start: OffsetDateTime) -> sqlx::Result<Option<Plan>> {
    let rows = sqlx::query!(
        "SELECT version, included_impressions, included_api_calls, included_data_transfer_bytes, metric, package, price
         FROM plans JOIN plan_prices ON plan_id = plans.id
         WHERE plan_type = $1 AND currency = $2 AND version = (SELECT max(version) FROM plans WHERE plan_type = $1 AND valid_from <= $3)",
        plan_type.as_str(),
        currency.code(),
        period_start,
    )
    .fetch_all(pool)
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let terms = |metric: Metric, included: i64| {
        let row = rows.iter().find(|row| row.metric == metric.as_str()).ok_or(sqlx::Error::RowNotFound)?;
        Ok::<_, sqlx::Error>(Terms {
            included: u64::try_from(included).unwrap_or(0),
            package: u64::try_from(row.package).ok().and_then(NonZeroU64::new).unwrap_or(NonZeroU64::MIN),
            price_per_package: u32::try_from(row.price).unwrap_or(0),
        })
    };
    Ok(Some(Plan {
        plan_type,
        version: first.version,
        currency,
        impressions: terms(Metric::Impressions, first.included_impressions)?,
        api_calls: terms(Metric::ApiCalls, first.included_api_calls)?,
        data_transfer: terms(Metric::DataTransferBytes, first.included_data_transfer_bytes)?,
    }))
}
