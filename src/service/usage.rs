//! Usage: the running period, rated by the plan, and the history.

mod file;
pub mod history;
mod history_cache;

pub use history_cache::Earlier;

use super::{Platform, Result};
use crate::{
    domain::{
        alert::cap_quantity,
        forecast::{self, Forecast, History},
        identity::CustomerId,
        metric::Metric,
        money::Currency,
        period::{Period, hour_of},
        plan::{Offer, Unpriced},
        subscription::{Metered, Subscription, metered_at},
        usage::{
            CurrentPeriod, DailyUsage, Gigabytes, Overages, PerMetric, Quantities, SubscriptionSummary, UsageCurrent, UsageForecast, over,
            rate_all,
        },
    },
    store::{
        postgres::{alerts, customers, subscriptions, usage as store},
        usage::{Figures, HourlyUsage},
    },
};
use time::{Duration, OffsetDateTime};

/// The running period: used, over the plan, cost, forecast. Without a subscription it is the calendar month.
pub async fn current(platform: &Platform, customer: CustomerId) -> Result<UsageCurrent> {
    at(platform, customer, platform.clock.now()).await
}

/// The same as it would be if it were `now`, from what is known by then and of the subscriptions as they are.
#[tracing::instrument(name = "usage.at", level = "debug", skip_all)]
pub async fn at(platform: &Platform, customer: CustomerId, now: OffsetDateTime) -> Result<UsageCurrent> {
    let subscriptions = subscriptions(platform, customer).await?;
    let Metered { subscription, period } = metered_at(&subscriptions, now);
    let figures = async { Ok(platform.usage.figures(customer, period).await?) };
    let offer = async {
        match subscription.and_then(|subscription| Some((subscription.plan?, subscription.currency))) {
            Some((plan_type, currency)) => Ok(store::offer(&platform.db, plan_type, currency, period.start()).await?),
            None => Ok(None),
        }
    };
    let before = platform.earlier.of(platform, customer, period, now);
    let alerts = async { Ok(alerts::settings(&platform.db, customer).await?) };
    let (Figures { hours: within, waiting_since }, offer, before, alerts) = tokio::try_join!(figures, offer, before, alerts)?;
    let days = every_day(period, &within, now);
    let used = PerMetric::from_fn(|metric| days.iter().fold(0, |sum: u64, day| sum.saturating_add(day.metric(metric))));
    let currency = match subscription {
        Some(subscription) => subscription.currency,
        None => customers::currency(&platform.db, customer).await?.unwrap_or(Currency::USD),
    };
    let rating = Rating { offer: offer.as_ref(), unpriced: subscription.and_then(|one| unpriced(one, offer.as_ref())) };
    // A cap ends the period's use: what is beyond it is refused.
    let ends = PerMetric::from_fn(|metric| {
        let included = offer.as_ref().map(|offer| offer.included[metric]);
        let cap = cap_quantity(alerts.as_ref()?.metric(metric).cap(), included)?;
        Some(cap.max(used[metric]))
    });
    Ok(UsageCurrent {
        forecast: usage_forecast(period, &before, &within, &rating, &ends, currency, now),
        current_period: CurrentPeriod {
            period,
            impressions: used.impressions,
            api_calls: used.api_calls,
            data_transfer_gb: Gigabytes(used.data_transfer),
        },
        overages: rating.overages(currency, &used),
        subscription: subscription.map(|subscription| summary(subscription, offer.as_ref())),
        as_of: within.iter().map(|usage| usage.as_of).max(),
        waiting_since,
        daily: days,
    })
}

/// How far back ended subscriptions matter: the longest usual period and what can still come in late for it.
const REMEMBERED: Duration = Duration::days(400);

/// A customer's subscriptions, those that ended lately too, for `domain::subscription` to choose from.
pub async fn subscriptions(platform: &Platform, customer: CustomerId) -> Result<Vec<Subscription>> {
    Ok(subscriptions::of_customer(&platform.db, customer, platform.clock.now() - REMEMBERED).await?)
}

/// What a customer is billed in, and the period that runs for it.
pub async fn billed(platform: &Platform, customer: CustomerId) -> Result<(Currency, Period)> {
    let subscriptions = subscriptions(platform, customer).await?;
    let Metered { subscription, period } = metered_at(&subscriptions, platform.clock.now());
    let currency = match subscription {
        Some(subscription) => subscription.currency,
        None => customers::currency(&platform.db, customer).await?.unwrap_or(Currency::USD),
    };
    Ok((currency, period))
}

/// Why usage of a subscription can't be priced, if it can't.
pub fn unpriced(subscription: &Subscription, offer: Option<&Offer>) -> Option<Unpriced> {
    match offer {
        Some(offer) => offer.prices.is_none().then_some(Unpriced::NoPrice(subscription.currency)),
        None => Some(Unpriced::UnknownPlan(subscription.plan.map_or_else(
            || subscription.other_plan().map(str::to_owned),
            // One of ours, which was not sold yet when the period began.
            |plan| Some(plan.as_str().to_owned()),
        ))),
    }
}

fn summary(subscription: &Subscription, offer: Option<&Offer>) -> SubscriptionSummary {
    let included = offer.map(|offer| offer.included);
    SubscriptionSummary {
        plan_type: subscription.plan,
        plan_name: subscription.other_plan().map(str::to_owned),
        status: subscription.status.clone(),
        included_impressions: included.map(|included| included.impressions),
        included_api_calls: included.map(|included| included.api_calls),
        included_data_transfer_gb: included.map(|included| Gigabytes(included.data_transfer)),
        cancel_at_period_end: subscription.cancel_at_period_end,
        cancel_at: subscription.cancels_at(),
        pause_collection: subscription.pause.clone(),
    }
}

/// By what a period's quantities are rated.
struct Rating<'a> {
    offer: Option<&'a Offer>,
    unpriced: Option<Unpriced>,
}

impl Rating<'_> {
    fn overages(&self, currency: Currency, used: &Quantities) -> Overages {
        match (&self.unpriced, self.offer) {
            (Some(why), offer) => Overages::unpriced(currency, offer.map(|offer| over(used, &offer.included)), why),
            (None, offer) => {
                let plan = offer.and_then(|offer| offer.prices.as_ref());
                Overages::new(currency, plan.map(|plan| rate_all(plan, used)).unwrap_or_default())
            }
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
    rating: &Rating<'_>,
    ends: &PerMetric<Option<u64>>,
    currency: Currency,
    now: OffsetDateTime,
) -> Option<UsageForecast> {
    let hours = || before.iter().chain(within);
    let first = hour_of(hours().next()?.hour);
    let last = hours().next_back()?.hour;
    let length = usize::try_from((last - first).whole_hours()).ok()? + 1;
    let of = |metric: Metric| -> Option<Forecast> {
        let mut quantities = vec![0; length];
        for usage in hours() {
            let hour = usize::try_from((usage.hour - first).whole_hours()).ok()?;
            // An hour may come in parts.
            let quantity = quantities.get_mut(hour)?;
            *quantity = usage.quantities[metric].saturating_add(*quantity);
        }
        let forecast = forecast::forecast(&period, &History::new(first, quantities), now)?;
        Some(ends[metric].map_or(forecast, |end| forecast.up_to(end)))
    };
    let (impressions, api_calls, data_transfer_bytes) = (of(Metric::Impressions)?, of(Metric::ApiCalls)?, of(Metric::DataTransferBytes)?);
    let expected = Quantities { impressions: impressions.amount, api_calls: api_calls.amount, data_transfer: data_transfer_bytes.amount };
    let expected = rating.overages(currency, &expected);
    Some(UsageForecast {
        impressions,
        api_calls,
        data_transfer_bytes,
        overage_costs: PerMetric::from_fn(|metric| expected.cost(metric)),
        total_overage_cost: expected.total_overage_cost,
    })
}
