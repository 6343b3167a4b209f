//! Usage of a period, what of it is over the plan, and what that costs.

use super::{
    forecast::Forecast,
    metric::Metric,
    money::Currency,
    period::Period,
    plan::{Plan, PlanType, Terms, Unpriced},
    subscription::PauseCollection,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, ops::Index};
use time::OffsetDateTime;

/// Bytes in a billed GB.
pub const BYTES_PER_GB: u64 = 1_000_000_000;

/// One value per metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PerMetric<T> {
    pub impressions: T,
    pub api_calls: T,
    pub data_transfer: T,
}

impl<T> PerMetric<T> {
    /// Asks for each metric's value.
    pub fn from_fn(mut value: impl FnMut(Metric) -> T) -> PerMetric<T> {
        PerMetric {
            impressions: value(Metric::Impressions),
            api_calls: value(Metric::ApiCalls),
            data_transfer: value(Metric::DataTransferBytes),
        }
    }
}

impl<T> Index<Metric> for PerMetric<T> {
    type Output = T;

    fn index(&self, metric: Metric) -> &T {
        match metric {
            Metric::Impressions => &self.impressions,
            Metric::ApiCalls => &self.api_calls,
            Metric::DataTransferBytes => &self.data_transfer,
        }
    }
}

/// Quantities of a period in each metric's own unit.
pub type Quantities = PerMetric<u64>;

/// One metric's overage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overage {
    /// Units over what is included, in the metric's own unit.
    pub amount: u64,
    /// Minor units of the plan's currency.
    pub cost: i64,
}

/// Rates one metric: every started package over the included quantity is billed whole.
///
/// This is the one place where usage is rounded into money.
pub fn rate(terms: Terms, quantity: u64) -> Overage {
    let amount = quantity.saturating_sub(terms.included);
    let packages = amount.div_ceil(terms.package.get());
    let cost = u128::from(packages) * u128::from(terms.price_per_package);
    Overage { amount, cost: i64::try_from(cost).unwrap_or(i64::MAX) }
}

/// What of a period's quantities is over what is included.
pub fn over(used: &Quantities, included: &Quantities) -> Quantities {
    PerMetric::from_fn(|metric| used[metric].saturating_sub(included[metric]))
}

/// Rates a period's quantities by a plan version.
pub fn rate_all(plan: &Plan, quantities: &Quantities) -> PerMetric<Overage> {
    PerMetric::from_fn(|metric| rate(plan.terms(metric), quantities[metric]))
}

/// Bytes that read and write as GB of 10^9 bytes: `37.25`, whole numbers without a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema), schema(value_type = f64, example = 37.25))]
pub struct Gigabytes(pub u64);

impl fmt::Display for Gigabytes {
    /// At most two decimals, rounded half up.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = (u128::from(self.0) + 5_000_000) / 10_000_000;
        let whole = super::money::group_thousands(u64::try_from(hundredths / 100).unwrap_or(u64::MAX));
        match hundredths % 100 {
            0 => f.write_str(&whole),
            rest => f.write_str(format!("{whole}.{rest:02}").trim_end_matches('0')),
        }
    }
}

impl Serialize for Gigabytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(BYTES_PER_GB) {
            s.serialize_u64(self.0 / BYTES_PER_GB)
        } else {
            s.serialize_f64(self.0 as f64 / BYTES_PER_GB as f64)
        }
    }
}

impl<'de> Deserialize<'de> for Gigabytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let gb = f64::deserialize(d)?;
        Ok(Gigabytes((gb * BYTES_PER_GB as f64).round() as u64))
    }
}

/// A quantity of a metric as people read it, with its unit.
pub fn show_quantity(metric: Metric, quantity: u64) -> String {
    match metric {
        Metric::Impressions | Metric::ApiCalls => super::money::group_thousands(quantity),
        Metric::DataTransferBytes => format!("{} GB", Gigabytes(quantity)),
    }
}

/// `GET /billing/usage/current`: the running period, shaped as the contract fixes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UsageCurrent {
    pub current_period: CurrentPeriod,
    pub overages: Overages,
    pub subscription: Option<SubscriptionSummary>,
    /// None until there is a day of data to go by.
    pub forecast: Option<UsageForecast>,
    /// Timestamp of the newest event that the figures contain.
    #[serde(with = "time::serde::rfc3339::option")]
    pub as_of: Option<OffsetDateTime>,
    /// When the oldest accepted event that the figures lack came in; null: they contain all of them.
    #[serde(with = "time::serde::rfc3339::option")]
    pub waiting_since: Option<OffsetDateTime>,
    /// Usage per day of the period, for the chart.
    pub daily: Vec<DailyUsage>,
}

impl UsageCurrent {
    pub fn used(&self) -> Quantities {
        let p = &self.current_period;
        Quantities { impressions: p.impressions, api_calls: p.api_calls, data_transfer: p.data_transfer_gb.0 }
    }

    pub fn included(&self) -> Option<Quantities> {
        let s = self.subscription.as_ref()?;
        Some(Quantities {
            impressions: s.included_impressions?,
            api_calls: s.included_api_calls?,
            data_transfer: s.included_data_transfer_gb?.0,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CurrentPeriod {
    #[serde(flatten)]
    pub period: Period,
    pub impressions: u64,
    pub api_calls: u64,
    pub data_transfer_gb: Gigabytes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Overages {
    pub currency: Currency,
    pub impressions: CountOverage,
    pub api_calls: CountOverage,
    pub data_transfer: TransferOverage,
    /// Minor units of `currency`; null: unknown, as `unpriced` says.
    pub total_overage_cost: Option<i64>,
    /// Why the costs are unknown: `no price in GBP`, `unknown plan platinum`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpriced: Option<String>,
}

impl Overages {
    pub fn new(currency: Currency, rated: PerMetric<Overage>) -> Overages {
        let count = |o: Overage| CountOverage { amount: Some(o.amount), cost: Some(o.cost) };
        let transfer = rated.data_transfer;
        Overages {
            currency,
            impressions: count(rated.impressions),
            api_calls: count(rated.api_calls),
            data_transfer: TransferOverage { amount: Some(Gigabytes(transfer.amount)), cost: Some(transfer.cost) },
            total_overage_cost: Some(Metric::ALL.iter().fold(0, |sum: i64, metric| sum.saturating_add(rated[*metric].cost))),
            unpriced: None,
        }
    }

    /// What is over, without its cost, which is unknown; None: neither is what is included.
    pub fn unpriced(currency: Currency, over: Option<Quantities>, why: &Unpriced) -> Overages {
        let count = |amount: Option<u64>| CountOverage { amount, cost: None };
        Overages {
            currency,
            impressions: count(over.map(|over| over.impressions)),
            api_calls: count(over.map(|over| over.api_calls)),
            data_transfer: TransferOverage { amount: over.map(|over| Gigabytes(over.data_transfer)), cost: None },
            total_overage_cost: None,
            unpriced: Some(why.to_string()),
        }
    }

    /// Of one metric, in its own unit; None where that is unknown.
    pub fn amount(&self, metric: Metric) -> Option<u64> {
        match metric {
            Metric::Impressions => self.impressions.amount,
            Metric::ApiCalls => self.api_calls.amount,
            Metric::DataTransferBytes => self.data_transfer.amount.map(|amount| amount.0),
        }
    }

    /// Minor units of `currency` for one metric; None where the cost is unknown.
    pub const fn cost(&self, metric: Metric) -> Option<i64> {
        match metric {
            Metric::Impressions => self.impressions.cost,
            Metric::ApiCalls => self.api_calls.cost,
            Metric::DataTransferBytes => self.data_transfer.cost,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct CountOverage {
    /// Null where what is included is unknown.
    pub amount: Option<u64>,
    /// Null where the price is unknown.
    pub cost: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct TransferOverage {
    /// In GB; null where what is included is unknown.
    pub amount: Option<Gigabytes>,
    /// Null where the price is unknown.
    pub cost: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SubscriptionSummary {
    /// Null: its plan is none of ours, `plan_name` says which.
    pub plan_type: Option<PlanType>,
    /// What Stripe calls the plan, where it is none of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_name: Option<String>,
    /// Stripe's word: active, trialing, past_due, canceled, unpaid, incomplete, incomplete_expired, paused.
    pub status: String,
    /// Per period, like the other two; null where it is unknown.
    pub included_impressions: Option<u64>,
    pub included_api_calls: Option<u64>,
    pub included_data_transfer_gb: Option<Gigabytes>,
    pub cancel_at_period_end: bool,
    /// When it ends, if it does.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub cancel_at: Option<OffsetDateTime>,
    /// Its invoices are not collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_collection: Option<PauseCollection>,
}

/// Where the period will end if it goes on as so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct UsageForecast {
    pub impressions: Forecast,
    pub api_calls: Forecast,
    pub data_transfer_bytes: Forecast,
    /// What each metric's overage will cost, in minor units of the overages' currency; null where the price is unknown.
    #[serde(default)]
    #[cfg_attr(feature = "ssr", schema(inline))]
    pub overage_costs: PerMetric<Option<i64>>,
    /// Their sum; null where it is unknown.
    pub total_overage_cost: Option<i64>,
}

impl UsageForecast {
    pub const fn metric(&self, metric: Metric) -> Forecast {
        match metric {
            Metric::Impressions => self.impressions,
            Metric::ApiCalls => self.api_calls,
            Metric::DataTransferBytes => self.data_transfer_bytes,
        }
    }
}

/// One UTC day's sums.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct DailyUsage {
    /// The day's first instant.
    #[serde(with = "time::serde::rfc3339")]
    pub day: OffsetDateTime,
    pub impressions: u64,
    pub api_calls: u64,
    pub data_transfer_bytes: u64,
}

impl DailyUsage {
    pub const fn metric(&self, metric: Metric) -> u64 {
        match metric {
            Metric::Impressions => self.impressions,
            Metric::ApiCalls => self.api_calls,
            Metric::DataTransferBytes => self.data_transfer_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::num::NonZeroU64;

    fn terms(included: u64, package: u64, price: u32) -> Terms {
        Terms { included, package: NonZeroU64::new(package).unwrap(), price_per_package: price }
    }

    #[test]
    fn the_contracts_example_costs_what_it_says() {
        // 2,345,678 impressions over growth's ten million: 2,346 started thousands at 8 cents.
        assert_eq!(rate(terms(10_000_000, 1_000, 8), 12_345_678), Overage { amount: 2_345_678, cost: 18_768 });
    }

    #[test]
    fn a_started_package_is_billed_whole() {
        let gb = terms(50 * BYTES_PER_GB, BYTES_PER_GB, 10);
        assert_eq!(rate(gb, 50 * BYTES_PER_GB).cost, 0);
        assert_eq!(rate(gb, 50 * BYTES_PER_GB + 1).cost, 10);
        assert_eq!(rate(gb, 51 * BYTES_PER_GB).cost, 10);
        assert_eq!(rate(gb, 51 * BYTES_PER_GB + 1).cost, 20);
    }

    #[test]
    fn gigabytes_read_and_write_as_numbers() {
        assert_eq!(serde_json::to_string(&Gigabytes(37_250_000_000)).unwrap(), "37.25");
        assert_eq!(serde_json::to_string(&Gigabytes(500_000_000_000)).unwrap(), "500");
        assert_eq!(serde_json::from_str::<Gigabytes>("37.25").unwrap(), Gigabytes(37_250_000_000));
        assert_eq!(Gigabytes(1_234_560_000_000).to_string(), "1,234.56");
        assert_eq!(Gigabytes(1_500_000_000).to_string(), "1.5");
        assert_eq!(Gigabytes(999_999_999).to_string(), "1");
    }

    fn any_terms() -> impl Strategy<Value = Terms> {
        (0u64..1 << 50, 1u64..2_000_000_000, 0u32..10_000).prop_map(|(included, package, price)| terms(included, package, price))
    }

    proptest! {
        #[test]
        fn nothing_is_owed_up_to_the_limit(t in any_terms(), share in 0.0f64..=1.0) {
            let within = (t.included as f64 * share) as u64;
            prop_assert_eq!(rate(t, within.min(t.included)), Overage::default());
        }

        #[test]
        fn more_usage_never_costs_less(t in any_terms(), a in 0u64..1 << 55, b in 0u64..1 << 55) {
            let (less, more) = (rate(t, a.min(b)), rate(t, a.max(b)));
            prop_assert!(0 <= less.cost && less.cost <= more.cost && less.amount <= more.amount);
        }

        #[test]
        fn the_price_covers_the_overage_and_less_than_one_package_more(t in any_terms(), quantity in 0u64..1 << 55) {
            let o = rate(t, quantity);
            let packages = o.amount.div_ceil(t.package.get());
            prop_assert_eq!(o.cost, i64::try_from(packages).unwrap() * i64::from(t.price_per_package));
            prop_assert!(u128::from(packages) * u128::from(t.package.get()) < u128::from(o.amount) + u128::from(t.package.get()));
        }

        #[test]
        fn splitting_a_batch_gives_the_same_bill(t in any_terms(), parts in prop::collection::vec(0u64..1 << 40, 0..50), cut in any::<prop::sample::Index>()) {
            let (left, right) = parts.split_at(if parts.is_empty() { 0 } else { cut.index(parts.len()) });
            let split = left.iter().sum::<u64>() + right.iter().sum::<u64>();
            prop_assert_eq!(rate(t, parts.iter().sum()), rate(t, split));
        }

        #[test]
        fn gigabytes_survive_a_round_trip(bytes in 0u64..1 << 50) {
            let text = serde_json::to_string(&Gigabytes(bytes)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Gigabytes>(&text).unwrap(), Gigabytes(bytes));
        }
    }
}
