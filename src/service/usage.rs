//! Usage: the current period, rated by the plan, and the history.

mod file;
mod forecast_models;
pub mod history;
mod history_cache;

pub use forecast_models::ForecastModels;
pub use history_cache::Earlier;

use super::{Platform, Result};
use crate::{
    domain::{
        alert::{AlertSettings, cap_quantity},
        forecast::{Forecast, History, Model, forecast_by},
        identity::CustomerId,
        metric::{Metric, PerMetric, Quantities},
        money::Currency,
        period::{Period, hour_of},
        plan::{Offer, Unpriced},
        rating::{over, rate_all},
        subscription::{Metered, Subscription, metered_at},
        usage::{CurrentPeriod, DailyUsage, Overages, SubscriptionSummary, UsageCurrent, UsageForecast},
    },
    store::{
        postgres::{alerts, customers, subscriptions, usage as store},
        usage::{Figures, HourlyUsage},
    },
};
use sqlx::PgConnection;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// The running period: used, over the plan, cost, forecast. Without a subscription it is the
/// calendar month.
pub async fn current(platform: &Platform, customer: CustomerId) -> Result<UsageCurrent> {
    at(platform, customer, platform.clock.now()).await
}

/// The running period as of `now`, with the usage known by then and the current subscriptions.
#[tracing::instrument(name = "usage.at", level = "debug", skip_all)]
pub async fn at(platform: &Platform, customer: CustomerId, now: OffsetDateTime) -> Result<UsageCurrent> {
    let terms = Terms::read(&mut *platform.db.acquire().await?, platform, customer, now).await?;
    terms.usage(platform, customer, now).await
}

/// What rates a customer's running period: read by one connection, because taking one from the pool
/// costs as much as a statement.
pub struct Terms {
    subscription: Option<Subscription>,
    pub period: Period,
    pub currency: Currency,
    offer: Option<Offer>,
    /// None if the customer has saved none.
    pub settings: Option<AlertSettings>,
}

impl Terms {
    /// The connection must be released before the usage is read, which takes its own: callers that
    /// hold one while they wait for another would block each other.
    pub async fn read(conn: &mut PgConnection, platform: &Platform, customer: CustomerId, now: OffsetDateTime) -> Result<Terms> {
        let all = subscriptions::of_customer(&mut *conn, customer, platform.clock.now() - REMEMBERED).await?;
        let Metered { subscription, period } = metered_at(&all, now);
        let currency = match subscription {
            Some(subscription) => subscription.currency,
            None => customers::currency(&mut *conn, customer).await?.unwrap_or(Currency::USD),
        };
        let offer = match subscription.and_then(|subscription| subscription.plan) {
            Some(plan_type) => store::offer(&mut *conn, plan_type, currency, period.start()).await?,
            None => None,
        };
        let settings = alerts::settings(conn, customer).await?;
        Ok(Terms { subscription: subscription.cloned(), period, currency, offer, settings })
    }

    /// The period's usage as of `now`, rated.
    pub async fn usage(&self, platform: &Platform, customer: CustomerId, now: OffsetDateTime) -> Result<UsageCurrent> {
        let Terms { subscription, period, currency, offer, settings } = self;
        let (subscription, period, currency, offer) = (subscription.as_ref(), *period, *currency, offer.as_ref());
        let figures = async { Ok(platform.usage.figures(customer, period).await?) };
        let before = platform.earlier.of(platform, customer, period, now);
        let (Figures { hours: within, waiting_since }, before) = tokio::try_join!(figures, before)?;
        let days = every_day(period, &within, now);
        let model = |metric, hours: &[f64]| platform.forecast_models.of(customer, metric, hours);
        let used = PerMetric::from_fn(|metric| days.iter().fold(0, |sum: u64, day| sum.saturating_add(day.quantities[metric])));
        let rating = Rating { currency, offer, unpriced: subscription.and_then(|one| unpriced(one, offer)) };
        // Usage beyond a cap is refused.
        let ends = PerMetric::from_fn(|metric| {
            let included = offer.map(|offer| offer.included[metric]);
            let cap = cap_quantity(settings.as_ref()?.metric(metric).cap(), included)?;
            Some(cap.max(used[metric]))
        });
        Ok(UsageCurrent {
            // As of the last closed hour, which is all that a model knows. So it stays the same
            // while no event arrives, and clients that poll get a 304.
            forecast: usage_forecast(period, &before, &within, &rating, &ends, hour_of(now), model),
            current_period: CurrentPeriod { period, used },
            overages: rating.overages(&used),
            subscription: subscription.map(|subscription| summary(subscription, offer)),
            as_of: within.iter().map(|usage| usage.as_of).max(),
            waiting_since,
            daily: days,
        })
    }
}

/// How long ended subscriptions matter: the longest usual period plus the time for late events.
const REMEMBERED: Duration = Duration::days(400);

/// A customer's subscriptions, including recently ended ones. `domain::subscription` chooses among
/// them.
pub async fn subscriptions(platform: &Platform, customer: CustomerId) -> Result<Vec<Subscription>> {
    Ok(subscriptions::of_customer(&platform.db, customer, platform.clock.now() - REMEMBERED).await?)
}

/// A customer's billing currency and running period.
pub async fn billed(platform: &Platform, customer: CustomerId) -> Result<(Currency, Period)> {
    let subscriptions = subscriptions(platform, customer).await?;
    let Metered { subscription, period } = metered_at(&subscriptions, platform.clock.now());
    let currency = match subscription {
        Some(subscription) => subscription.currency,
        None => customers::currency(&platform.db, customer).await?.unwrap_or(Currency::USD),
    };
    Ok((currency, period))
}

/// Why usage of a subscription has no price; None if it has one.
pub fn unpriced(subscription: &Subscription, offer: Option<&Offer>) -> Option<Unpriced> {
    match offer {
        Some(offer) => offer.prices.is_none().then_some(Unpriced::NoPrice(subscription.currency)),
        None => Some(Unpriced::UnknownPlan(subscription.plan.map_or_else(
            || subscription.other_plan().map(str::to_owned),
            // A known plan that was not sold yet when the period began.
            |plan| Some(plan.as_str().to_owned()),
        ))),
    }
}

fn summary(subscription: &Subscription, offer: Option<&Offer>) -> SubscriptionSummary {
    SubscriptionSummary {
        plan_type: subscription.plan,
        plan_name: subscription.other_plan().map(str::to_owned),
        status: subscription.status.clone(),
        included: offer.map(|offer| offer.included),
        cancel_at_period_end: subscription.cancel_at_period_end,
        cancel_at: subscription.cancels_at(),
        pause_collection: subscription.pause.clone(),
    }
}

/// The prices for a period's quantities.
struct Rating<'a> {
    currency: Currency,
    offer: Option<&'a Offer>,
    unpriced: Option<Unpriced>,
}

impl Rating<'_> {
    fn overages(&self, used: &Quantities) -> Overages {
        let currency = self.currency;
        match (&self.unpriced, self.offer) {
            (Some(why), offer) => Overages::unpriced(currency, offer.map(|offer| over(used, &offer.included)), why),
            (None, offer) => {
                let plan = offer.and_then(|offer| offer.prices.as_ref());
                Overages::new(currency, plan.map(|plan| rate_all(plan, used)).unwrap_or_default())
            }
        }
    }
}

/// The days of the period so far, including those without usage.
fn every_day(period: Period, hours: &[HourlyUsage], now: OffsetDateTime) -> Vec<DailyUsage> {
    let first = period.start().replace_time(time::Time::MIDNIGHT);
    let mut rest = hours;
    std::iter::successors(Some(first), |day| Some(*day + Duration::DAY))
        .take_while(|day| *day < period.end() && *day <= now)
        .map(|day| {
            let (of_day, later) = rest.split_at(rest.partition_point(|usage| usage.hour < day + Duration::DAY));
            rest = later;
            let sum = |metric| of_day.iter().fold(0, |sum: u64, usage| sum.saturating_add(usage.quantities[metric]));
            DailyUsage { day, quantities: PerMetric::from_fn(sum) }
        })
        .collect()
}

/// Starts with the first hour that has usage.
fn usage_forecast(
    period: Period,
    before: &[HourlyUsage],
    within: &[HourlyUsage],
    rating: &Rating<'_>,
    ends: &PerMetric<Option<u64>>,
    now: OffsetDateTime,
    model: impl Fn(Metric, &[f64]) -> Arc<Model>,
) -> Option<UsageForecast> {
    let hours = || before.iter().chain(within);
    let first = hour_of(hours().next()?.hour);
    let last = hours().next_back()?.hour;
    let length = usize::try_from((last - first).whole_hours()).ok()? + 1;
    let of = |metric| -> Option<Forecast> {
        let mut quantities = vec![0; length];
        for usage in hours() {
            let hour = usize::try_from((usage.hour - first).whole_hours()).ok()?;
            // An hour may have several parts.
            let quantity = quantities.get_mut(hour)?;
            *quantity = usage.quantities[metric].saturating_add(*quantity);
        }
        let forecast = forecast_by(&period, &History::new(first, quantities), now, |hours| model(metric, hours))?;
        Some(ends[metric].map_or(forecast, |end| forecast.up_to(end)))
    };
    let quantities = PerMetric::from_fn(of).transpose()?;
    let expected = rating.overages(&quantities.map(|forecast| forecast.amount));
    Some(UsageForecast {
        quantities,
        overage_costs: PerMetric::from_fn(|metric| expected.cost(metric)),
        total_overage_cost: expected.total_overage_cost,
    })
}
