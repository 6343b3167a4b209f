//! A cache of the models that forecasts use.
//!
//! A model is only used for the very hours that it was computed from, so it is never outdated: a
//! late event, a correction or a newly closed hour leads to a new one.

use crate::domain::{forecast::Model, identity::CustomerId, metric::Metric};
use quick_cache::sync::Cache;
use std::sync::Arc;

/// Maximum number of cached models, at most 15 kB each.
const MODELS: usize = 3_000;

/// This process's cache; clones share it.
#[derive(Clone)]
pub struct ForecastModels(Arc<Cache<(CustomerId, Metric), Known>>);

#[derive(Clone)]
struct Known {
    hours: Arc<[f64]>,
    model: Arc<Model>,
}

impl Default for ForecastModels {
    fn default() -> ForecastModels {
        ForecastModels(Arc::new(Cache::new(MODELS)))
    }
}

impl ForecastModels {
    /// The model of these hours, which are a customer's usage of a metric.
    pub fn of(&self, customer: CustomerId, metric: Metric, hours: &[f64]) -> Arc<Model> {
        if let Some(known) = self.0.get(&(customer, metric)).filter(|known| *known.hours == *hours) {
            return known.model;
        }
        let model = Arc::new(Model::of(hours));
        self.0.insert((customer, metric), Known { hours: hours.into(), model: model.clone() });
        model
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    #[test]
    fn an_unchanged_history_is_not_computed_again() {
        let (models, customer) = (ForecastModels::default(), CustomerId(Uuid::nil()));
        let hours: Vec<f64> = (0..400).map(|hour| f64::from(hour % 24)).collect();
        let first = models.of(customer, Metric::ALL[0], &hours);
        assert!(Arc::ptr_eq(&first, &models.of(customer, Metric::ALL[0], &hours)));
        assert!(!Arc::ptr_eq(&first, &models.of(customer, Metric::ALL[1], &hours)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever was asked before, the model is that of the given hours.
        #[test]
        fn the_cache_returns_the_model_of_the_hours(
            hours in proptest::collection::vec(0u32..1_000, 340..400),
            changes in proptest::collection::vec((0usize..340, 0u32..1_000, any::<bool>()), 1..8),
        ) {
            let (models, customer) = (ForecastModels::default(), CustomerId(Uuid::nil()));
            let mut hours: Vec<f64> = hours.into_iter().map(f64::from).collect();
            for (place, quantity, closes) in changes {
                hours[place] = f64::from(quantity);
                if closes {
                    hours.push(f64::from(quantity));
                }
                prop_assert_eq!(&*models.of(customer, Metric::ALL[0], &hours), &Model::of(&hours));
            }
        }
    }
}
