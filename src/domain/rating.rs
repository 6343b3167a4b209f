//! Rating: how much of a period's usage is overage, and what the overage costs.

use super::{
    metric::{PerMetric, Quantities},
    plan::{Plan, Terms},
};

/// One metric's overage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overage {
    /// Units above the included quantity, in the metric's own unit.
    pub amount: u64,
    /// Minor units of the plan's currency.
    pub cost: i64,
}

/// Rates one metric: every started package above the included quantity is billed in full.
///
/// Only this function rounds usage to money.
pub fn rate(terms: Terms, quantity: u64) -> Overage {
    let amount = quantity.saturating_sub(terms.included);
    let packages = amount.div_ceil(terms.package.get());
    let cost = u128::from(packages) * u128::from(terms.price_per_package);
    Overage { amount, cost: i64::try_from(cost).unwrap_or(i64::MAX) }
}

/// How much of a period's quantities is beyond the included ones.
pub fn over(used: &Quantities, included: &Quantities) -> Quantities {
    PerMetric::from_fn(|metric| used[metric].saturating_sub(included[metric]))
}

/// Rates a period's quantities by a plan version.
pub fn rate_all(plan: &Plan, quantities: &Quantities) -> PerMetric<Overage> {
    PerMetric::from_fn(|metric| rate(plan.terms[metric], quantities[metric]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::metric::BYTES_PER_GB;
    use proptest::prelude::*;
    use std::num::NonZeroU64;

    fn terms(included: u64, package: u64, price: u32) -> Terms {
        Terms { included, package: NonZeroU64::new(package).unwrap(), price_per_package: price }
    }

    #[test]
    fn the_contracts_example_has_its_cost() {
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

    fn any_terms() -> impl Strategy<Value = Terms> {
        (0u64..1 << 50, 1u64..2_000_000_000, 0u32..10_000).prop_map(|(included, package, price)| terms(included, package, price))
    }

    proptest! {
        #[test]
        fn nothing_is_due_up_to_the_limit(t in any_terms(), share in 0.0f64..=1.0) {
            let within = (t.included as f64 * share) as u64;
            prop_assert_eq!(rate(t, within.min(t.included)), Overage::default());
        }

        #[test]
        fn more_usage_never_costs_less(t in any_terms(), a in 0u64..1 << 55, b in 0u64..1 << 55) {
            let (less, more) = (rate(t, a.min(b)), rate(t, a.max(b)));
            prop_assert!(0 <= less.cost && less.cost <= more.cost && less.amount <= more.amount);
        }

        #[test]
        fn the_price_covers_the_overage_and_under_one_package_more(t in any_terms(), quantity in 0u64..1 << 55) {
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
    }
}
