//! Counts concurrent calls about a customer's usage of a meter.

use super::{locked::locked, metered::Metered};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

#[derive(Clone, Copy, Default)]
struct Calls {
    now: usize,
    greatest: usize,
}

impl Calls {
    fn begin(&mut self) {
        self.now += 1;
        self.greatest = self.greatest.max(self.now);
    }
}

#[derive(Default)]
struct Counts {
    all: Calls,
    each: BTreeMap<Metered, Calls>,
}

#[derive(Clone, Default)]
pub struct Overlaps(Arc<Mutex<Counts>>);

/// The maximum number of concurrent calls.
#[derive(Debug, Serialize)]
pub struct Greatest {
    pub of_all: usize,
    pub of_each: Vec<GreatestOf>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct GreatestOf {
    pub event_name: String,
    pub customer: String,
    pub at_once: usize,
}

/// A running call; it ends on drop.
pub struct OnItsWay {
    overlaps: Overlaps,
    whose: Metered,
}

impl Overlaps {
    pub fn begin(&self, whose: Metered) -> OnItsWay {
        let mut counts = locked(&self.0);
        counts.all.begin();
        counts.each.entry(whose.clone()).or_default().begin();
        OnItsWay { overlaps: self.clone(), whose }
    }

    pub fn greatest(&self) -> Greatest {
        let counts = locked(&self.0);
        let of_each = counts.each.iter().map(|((event_name, customer), calls)| GreatestOf {
            event_name: event_name.clone(),
            customer: customer.clone(),
            at_once: calls.greatest,
        });
        Greatest { of_all: counts.all.greatest, of_each: of_each.collect() }
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        let mut counts = locked(&self.overlaps.0);
        counts.all.now -= 1;
        if let Some(calls) = counts.each.get_mut(&self.whose) {
            calls.now -= 1;
        }
    }
}
