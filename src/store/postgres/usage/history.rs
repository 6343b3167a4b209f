//! A customer's hourly records over time.

use crate::{
    domain::{identity::CustomerId, metric::Metric, period::Period, usage_history::Granularity},
    store::postgres::decode,
};
use sqlx::PgExecutor;
use time::OffsetDateTime;

/// Usage of a metric in an hour, day or month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    pub metric: Metric,
    /// None: all apps, or those in `other_apps`.
    pub app_id: Option<String>,
    pub other_apps: Option<u32>,
    pub start: OffsetDateTime,
    pub quantity: u64,
}

/// The hours of a span by metric and time. If `apps` is set, by app too: per metric the apps with
/// the most usage first, then the others together. Rows of a series are consecutive.
pub async fn sums(
    db: impl PgExecutor<'_>,
    customer: CustomerId,
    metrics: &[Metric],
    span: Period,
    granularity: Granularity,
    apps: Option<u16>,
) -> sqlx::Result<Vec<Sum>> {
    let metrics: Vec<&str> = metrics.iter().map(|metric| metric.as_str()).collect();
    match apps {
        Some(apps) => by_app(db, customer, &metrics, span, granularity, apps).await,
        None => together(db, customer, &metrics, span, granularity).await,
    }
}

/// Over all apps: from the sums, which have a row per hour instead of one per hour and app.
async fn together(
    db: impl PgExecutor<'_>,
    customer: CustomerId,
    metrics: &[&str],
    span: Period,
    granularity: Granularity,
) -> sqlx::Result<Vec<Sum>> {
    let rows = sqlx::query!(
        r#"SELECT metric, date_trunc($5, hour, 'UTC') AS "start!", usage_saturated(sum(quantity)) AS "quantity!"
           FROM usage_customer_metric_hours
           WHERE customer_id = $1 AND metric = ANY($2) AND hour >= $3 AND hour < $4
           GROUP BY 1, 2 ORDER BY 1, 2"#,
        customer.0,
        metrics as &[&str],
        span.start(),
        span.end(),
        granularity.as_str(),
    )
    .fetch_all(db)
    .await?;
    let sum = |metric: &str, start, quantity| -> sqlx::Result<Sum> {
        Ok(Sum { metric: decode(metric)?, app_id: None, other_apps: None, start, quantity: units(quantity) })
    };
    rows.iter().map(|row| sum(&row.metric, row.start, row.quantity)).collect()
}

async fn by_app(
    db: impl PgExecutor<'_>,
    customer: CustomerId,
    metrics: &[&str],
    span: Period,
    granularity: Granularity,
    apps: u16,
) -> sqlx::Result<Vec<Sum>> {
    let rows = sqlx::query_file!(
        "src/store/postgres/usage/history.sql",
        customer.0,
        metrics as &[&str],
        span.start(),
        span.end(),
        granularity.as_str(),
        i64::from(apps),
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Sum {
                metric: decode(&row.metric)?,
                other_apps: row.app_id.is_none().then(|| u32::try_from(row.apps).unwrap_or(u32::MAX)),
                app_id: row.app_id,
                start: row.start,
                quantity: units(row.quantity),
            })
        })
        .collect()
}

fn units(quantity: i64) -> u64 {
    u64::try_from(quantity).unwrap_or(0)
}
