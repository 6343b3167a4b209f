//! One value for each metric.

use super::{COUNT, Metric};
use std::ops::{Index, IndexMut};

/// One value for each metric. It reads and writes as an object with a field for each name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerMetric<T>([T; COUNT]);

/// Quantities in each metric's own unit.
pub type Quantities = PerMetric<u64>;

impl<T> PerMetric<T> {
    /// Builds it from each metric's value.
    pub fn from_fn(value: impl FnMut(Metric) -> T) -> PerMetric<T> {
        PerMetric(Metric::ALL.map(value))
    }

    /// Every metric with its value, in the order of [`Metric::ALL`].
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Metric, &T)> {
        Metric::ALL.into_iter().zip(&self.0)
    }

    pub fn map<U>(self, change: impl FnMut(T) -> U) -> PerMetric<U> {
        PerMetric(self.0.map(change))
    }

    /// The same with another value for one metric.
    #[must_use]
    pub fn with(mut self, metric: Metric, value: T) -> PerMetric<T> {
        self[metric] = value;
        self
    }
}

impl<T> PerMetric<Option<T>> {
    /// None unless every metric has a value.
    pub fn transpose(self) -> Option<PerMetric<T>> {
        let values: Vec<T> = self.0.into_iter().collect::<Option<_>>()?;
        values.try_into().ok().map(PerMetric)
    }
}

impl<T> Index<Metric> for PerMetric<T> {
    type Output = T;

    fn index(&self, metric: Metric) -> &T {
        &self.0[metric as usize]
    }
}

impl<T> IndexMut<Metric> for PerMetric<T> {
    fn index_mut(&mut self, metric: Metric) -> &mut T {
        &mut self.0[metric as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_has_a_value_of_its_own() {
        let names = PerMetric::from_fn(Metric::as_str);
        assert!(names.iter().all(|(metric, name)| *name == metric.as_str() && names[metric] == *name));
        let changed = names.with(Metric::ApiCalls, "calls");
        let differ: Vec<Metric> = changed.iter().filter(|(metric, name)| **name != names[*metric]).map(|(metric, _)| metric).collect();
        assert_eq!(differ, [Metric::ApiCalls]);
    }

    #[test]
    fn values_are_complete_or_none() {
        let numbers = PerMetric::from_fn(|metric| metric as u8);
        assert_eq!(numbers.map(Some).transpose(), Some(numbers));
        for metric in Metric::ALL {
            assert_eq!(numbers.map(Some).with(metric, None).transpose(), None);
        }
    }
}
