//! The usage of a period, as pages and the API show it.

use super::{
    forecast::Forecast,
    metric::{Gigabytes, InUnit, Metric, PerMetric, Quantities, Unit, by_key, in_unit, included},
    money::Currency,
    period::Period,
    plan::{PlanType, Unpriced},
    rating::Overage,
    subscription::PauseCollection,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;

/// `GET /billing/usage/current`: the current period, in the contract's format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UsageCurrent {
    pub current_period: CurrentPeriod,
    pub overages: Overages,
    pub subscription: Option<SubscriptionSummary>,
    /// None until there is a day of data.
    pub forecast: Option<UsageForecast>,
    /// Timestamp of the newest counted event.
    #[serde(with = "time::serde::rfc3339::option")]
    pub as_of: Option<OffsetDateTime>,
    /// When the oldest accepted event that the figures lack was received. Null: they contain all
    /// events.
    #[serde(with = "time::serde::rfc3339::option")]
    pub waiting_since: Option<OffsetDateTime>,
    /// Usage per day of the period, for the chart.
    pub daily: Vec<DailyUsage>,
}

impl UsageCurrent {
    pub const fn used(&self) -> Quantities {
        self.current_period.used
    }

    /// None without a subscription, and where its plan is unknown.
    pub fn included(&self) -> Option<Quantities> {
        self.subscription.as_ref()?.included
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CurrentPeriod {
    #[serde(flatten)]
    pub period: Period,
    #[serde(flatten, with = "in_unit")]
    #[schema(schema_with = in_unit::schema::<u64>)]
    pub used: Quantities,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Overages {
    pub currency: Currency,
    #[serde(flatten, with = "by_key::in_unit")]
    #[schema(schema_with = by_key::in_unit::schema::<MetricOverage>)]
    metrics: PerMetric<MetricOverage>,
    /// Minor units of `currency`; null: unknown, see `unpriced`.
    pub total_overage_cost: Option<i64>,
    /// Why the costs are unknown: `no price in GBP`, `unknown plan platinum`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpriced: Option<String>,
    /// The same for pages, which translate it.
    #[serde(skip)]
    pub unpriced_reason: Option<Unpriced>,
}

impl Overages {
    pub fn new(currency: Currency, rated: PerMetric<Overage>) -> Overages {
        Overages {
            currency,
            metrics: rated.map(|overage| MetricOverage { amount: Some(overage.amount), cost: Some(overage.cost) }),
            total_overage_cost: Some(rated.iter().fold(0, |sum: i64, (_, overage)| sum.saturating_add(overage.cost))),
            unpriced: None,
            unpriced_reason: None,
        }
    }

    /// The overage without its cost, which is unknown. None: the included quantity is unknown too.
    pub fn unpriced(currency: Currency, over: Option<Quantities>, why: &Unpriced) -> Overages {
        Overages {
            currency,
            metrics: PerMetric::from_fn(|metric| MetricOverage { amount: over.map(|over| over[metric]), cost: None }),
            total_overage_cost: None,
            unpriced: Some(why.to_string()),
            unpriced_reason: Some(why.clone()),
        }
    }

    /// For one metric, in its own unit; None if unknown.
    pub fn amount(&self, metric: Metric) -> Option<u64> {
        self.metrics[metric].amount
    }

    /// Minor units of `currency` for one metric; None if the cost is unknown.
    pub fn cost(&self, metric: Metric) -> Option<i64> {
        self.metrics[metric].cost
    }
}

/// One metric's overage. The API writes `amount` in the unit that people read.
#[derive(Clone, Copy, Debug, PartialEq)]
struct MetricOverage {
    amount: Option<u64>,
    cost: Option<i64>,
}

impl InUnit for MetricOverage {
    fn write<S: Serializer>(&self, unit: Unit, s: S) -> Result<S::Ok, S::Error> {
        let MetricOverage { amount, cost } = *self;
        match unit {
            Unit::Count => CountOverage { amount, cost }.serialize(s),
            Unit::Bytes => TransferOverage { amount: amount.map(Gigabytes), cost }.serialize(s),
        }
    }

    fn read<'de, D: Deserializer<'de>>(unit: Unit, d: D) -> Result<MetricOverage, D::Error> {
        Ok(match unit {
            Unit::Count => {
                let CountOverage { amount, cost } = CountOverage::deserialize(d)?;
                MetricOverage { amount, cost }
            }
            Unit::Bytes => {
                let TransferOverage { amount, cost } = TransferOverage::deserialize(d)?;
                MetricOverage { amount: amount.map(|bytes| bytes.0), cost }
            }
        })
    }

    fn schema(unit: Unit) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::{ToSchema, openapi::Ref};
        Ref::from_schema_name(match unit {
            Unit::Count => CountOverage::name(),
            Unit::Bytes => TransferOverage::name(),
        })
        .into()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CountOverage {
    /// Null if the included quantity is unknown.
    amount: Option<u64>,
    /// Null if the price is unknown.
    cost: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TransferOverage {
    /// In GB; null if the included quantity is unknown.
    amount: Option<Gigabytes>,
    /// Null if the price is unknown.
    cost: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SubscriptionSummary {
    /// Null for a plan that this platform doesn't sell; `plan_name` is its name.
    pub plan_type: Option<PlanType>,
    /// Stripe's name of a plan that this platform doesn't sell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_name: Option<String>,
    /// Stripe's status: active, trialing, past_due, canceled, unpaid, incomplete,
    /// incomplete_expired, paused.
    pub status: String,
    /// Per period; null where it is unknown.
    #[serde(flatten, with = "included")]
    #[schema(schema_with = included::schema)]
    pub included: Option<Quantities>,
    pub cancel_at_period_end: bool,
    /// When it ends, if that is scheduled.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<OffsetDateTime>,
    /// Its invoices are not collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_collection: Option<PauseCollection>,
}

/// The forecast for the period's end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UsageForecast {
    #[serde(flatten)]
    #[schema(schema_with = PerMetric::<Forecast>::references)]
    pub quantities: PerMetric<Forecast>,
    /// The forecast overage cost of each metric, in minor units of the overages' currency; null
    /// where the price is unknown.
    #[serde(default, with = "by_key")]
    #[schema(schema_with = overage_costs)]
    pub overage_costs: PerMetric<Option<i64>>,
    /// Their sum; null if unknown.
    pub total_overage_cost: Option<i64>,
}

fn overage_costs() -> utoipa::openapi::Object {
    let mut costs = by_key::schema::<Option<i64>>();
    let description =
        "The forecast overage cost of each metric, in minor units of the overages' currency; null where the price is unknown.";
    costs.description = Some(description.to_owned());
    costs
}

/// Sums of one UTC day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DailyUsage {
    /// The start of the day.
    #[serde(with = "time::serde::rfc3339")]
    pub day: OffsetDateTime,
    #[serde(flatten)]
    #[schema(schema_with = PerMetric::<u64>::inline)]
    pub quantities: Quantities,
}
