//! Usage: the running period, rated by the plan, and the history.

mod earlier;
pub mod history;

pub use earlier::Earlier;

use super::{Platform, Result};
use crate::{
    domain::{
        alert::cap_quantity,
        forecast::{self, Forecast, History},
        identity::CustomerId,
        metric::Metric,
        money::Currency,
        period::Period,
        plan::Plan,
        usage::{
            CurrentPeriod, DailyUsage, Gigabytes, Overages, PerMetric, Quantities, SubscriptionSummary, UsageCurrent, UsageForecast,
            rate_all,
        },
    },
    store::{
        postgres::{accounts, alerts, usage as store},
        usage::{Figures, HourlyUsage},
    },
};
use time::{Duration, OffsetDateTime};

/// The running period: used, over the plan, cost, forecast. Without a subscription it is the calendar month.
pub async fn current(platform: &Platform, customer: CustomerId) -> Result<UsageCurrent> {
    at(platform, customer, platform.clock.now()).await
}

/// The same as it would be if it were `now`, from what is known by then and of the subscription as it is.
#[tracing::instrument(name = "usage.current", level = "debug", skip_all)]
pub async fn at(platform: &Platform, customer: CustomerId, now: OffsetDateTime) -> Result<UsageCurrent> {
    let subscription = store::subscription(&platform.db, customer).await?;
    let period = subscription.as_ref().and_then(|s| s.period).map_or_else(|| Period::calendar_month(now), |period| period.rolled_to(now));
    let figures = async { Ok(platform.usage.figures(customer, period).await?) };
    let plan = async {
        match subscription.as_ref().and_then(|s| Some((s.plan_type?, s.currency))) {
            Some((plan_type, currency)) => Ok(store::plan(&platform.db, plan_type, currency, period.start()).await?),
            None => Ok(None),
        }
    };
    let before = platform.earlier.of(platform, customer, period, now);
    let alerts = async { Ok(alerts::settings(&platform.db, customer).await?) };
    let (Figures { hours: within, waiting_since }, plan, before, alerts) = tokio::try_join!(figures, plan, before, alerts)?;
    let days = every_day(period, &within, now);
    let used = PerMetric::from_fn(|metric| days.iter().fold(0, |sum: u64, day| sum.saturating_add(day.metric(metric))));
    let currency = match &subscription {
        Some(subscription) => subscription.currency,
        None => accounts::customer_currency(&platform.db, customer).await?.unwrap_or(Currency::USD),
    };
    let rated = plan.as_ref().map(|plan| rate_all(plan, &used)).unwrap_or_default();
    // A cap ends the period's use: what is beyond it is refused.
    let ends = PerMetric::from_fn(|metric| {
        let included = plan.as_ref().map(|plan| plan.terms(metric).included);
        let cap = cap_quantity(alerts.as_ref()?.metric(metric).cap(), included)?;
        Some(cap.max(used[metric]))
    });
    Ok(UsageCurrent {
        forecast: usage_forecast(period, &before, &within, plan.as_ref(), &ends, currency, now),
        current_period: CurrentPeriod {
            period,
            impressions: used.impressions,
            api_calls: used.api_calls,
            data_transfer_gb: Gigabytes(used.data_transfer),
        },
        overages: Overages::new(currency, rated),
        subscription: subscription.zip(plan).map(|(subscription, plan)| SubscriptionSummary {
            plan_type: plan.plan_type,
            status: subscription.status,
            included_impressions: plan.impressions.included,
            included_api_calls: plan.api_calls.included,
            included_data_transfer_gb: Gigabytes(plan.data_transfer.included),
            cancel_at_period_end: subscription.cancel_at_period_end,
        }),
        as_of: within.iter().map(|usage| usage.as_of).max(),
        waiting_since,
        daily: days,
    })
}

/// What a customer is billed in, and the period that runs for it.
pub async fn billed(platform: &Platform, customer: CustomerId) -> Result<(Currency, Period)> {
    let now = platform.clock.now();
    match store::subscription(&platform.db, customer).await? {
        Some(subscription) => {
            let period = subscription.period.map_or_else(|| Period::calendar_month(now), |period| period.rolled_to(now));
            Ok((subscription.currency, period))
        }
        None => {
            let currency = accounts::customer_currency(&platform.db, customer).await?.unwrap_or(Currency::USD);
            Ok((currency, Period::calendar_month(now)))
        }
    }
}

/// The days of the period up to now, those without usage among them.
fn every_day(period: Period, hours: &[HourlyUsage], now: OffsetDateTime) -> Vec<DailyUsage> {
    let first = period.start().replace_time(time::Time::MIDNIGHT);
    let mut rest = hours;
    std::iter::successors(Some(first), |day| Some(*day + Duration::DAY))
        .take_while(|day| *day < period.end() && *day <= now)
        .map(|day| {
            let (of_day, later) = rest.split_at(rest.partition_point(|usage| usage.hour < day + Duration::DAY));
            rest = later;
            let sum = |metric: Metric| of_day.iter().fold(0, |sum: u64, usage| sum.saturating_add(usage.quantities[metric]));
            DailyUsage {
                day,
                impressions: sum(Metric::Impressions),
                api_calls: sum(Metric::ApiCalls),
                data_transfer_bytes: sum(Metric::DataTransferBytes),
            }
        })
        .collect()
}

/// From the first hour in which the customer used anything.
fn usage_forecast(
    period: Period,
    before: &[HourlyUsage],
    within: &[HourlyUsage],
    plan: Option<&Plan>,
    ends: &PerMetric<Option<u64>>,
    currency: Currency,
    now: OffsetDateTime,
) -> Option<UsageForecast> {
    let hours = || before.iter().chain(within);
    let first = hours().next()?.hour;
    let last = hours().next_back()?.hour;
    let length = usize::try_from((last - first).whole_hours()).ok()? + 1;
    let of = |metric: Metric| -> Option<Forecast> {
        let mut quantities = vec![0; length];
        for usage in hours() {
            let hour = usize::try_from((usage.hour - first).whole_hours()).ok()?;
            *quantities.get_mut(hour)? = usage.quantities[metric];
        }
        let forecast = forecast::forecast(&period, &History::new(first, quantities), now)?;
        Some(ends[metric].map_or(forecast, |end| forecast.up_to(end)))
    };
    let (impressions, api_calls, data_transfer_bytes) = (of(Metric::Impressions)?, of(Metric::ApiCalls)?, of(Metric::DataTransferBytes)?);
    let expected = Quantities { impressions: impressions.amount, api_calls: api_calls.amount, data_transfer: data_transfer_bytes.amount };
    let rated = plan.map(|plan| rate_all(plan, &expected)).unwrap_or_default();
    Some(UsageForecast {
        impressions,
        api_calls,
        data_transfer_bytes,
        overage_costs: PerMetric::from_fn(|metric| rated[metric].cost),
        total_overage_cost: Overages::new(currency, rated).total_overage_cost,
    })
}
