//! Caps: events of a metric are refused once its quantity in the running period has reached what its customer set.
//!
//! The figures are kept for some seconds, so that a batch costs no query more; what comes in within those seconds may go beyond the cap.

use super::{AlertSettings, store, usage};
use crate::{
    domain::{
        alert::cap_quantity,
        identity::CustomerId,
        metric::Metric,
        period::Period,
        usage::{PerMetric, show_quantity},
        usage_event::{Placed, Rejection, UsageEvent},
    },
    service::{Error, Platform, Result},
    store::postgres::usage::ids,
    telemetry,
};
use quick_cache::sync::Cache;
use std::{collections::HashSet, sync::Arc};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// How long what is known of a customer's caps is believed.
const BELIEVED: Duration = Duration::seconds(5);
/// Customers that are remembered.
const CUSTOMERS: usize = 10_000;

/// What this process knows of customers' caps; clones share it.
#[derive(Clone)]
pub struct KnownCaps(Arc<Cache<CustomerId, State>>);

impl Default for KnownCaps {
    fn default() -> KnownCaps {
        KnownCaps(Arc::new(Cache::new(CUSTOMERS)))
    }
}

impl KnownCaps {
    /// Asks anew at the next event.
    pub fn forget(&self, customer: CustomerId) {
        self.0.remove(&customer);
    }
}

/// The caps of a customer that are reached, as of some moment.
#[derive(Clone, Copy, Debug)]
struct State {
    at: OffsetDateTime,
    period: Period,
    /// The quantity at which a metric's cap stands, where it is reached.
    reached: PerMetric<Option<u64>>,
}

impl State {
    /// An event of another period is none of this one's business.
    fn refuses(&self, event: &UsageEvent) -> bool {
        self.reached[event.metric].is_some() && self.period.contains(event.timestamp)
    }

    fn sentence(&self, metric: Metric) -> String {
        let cap = show_quantity(metric, self.reached[metric].unwrap_or_default());
        let until = self.period.end().format(&Rfc3339).unwrap_or_default();
        format!("{metric} has reached the cap of {cap} that is set for the period until {until}; the event was not counted")
    }
}

/// The quantity at which a customer's cap on a metric stands, when it is reached; None while events are taken.
pub async fn cap_reached(platform: &Platform, customer: CustomerId, metric: Metric) -> Result<Option<u64>> {
    Ok(state(platform, customer).await?.reached[metric])
}

async fn state(platform: &Platform, customer: CustomerId) -> Result<State> {
    let now = platform.clock.now();
    if let Some(known) = platform.caps.0.get(&customer).filter(|known| known.at <= now && now - known.at < BELIEVED) {
        return Ok(known);
    }
    let set = store::settings(&platform.db, customer).await?;
    let state = match set.filter(AlertSettings::has_cap) {
        None => State { at: now, period: Period::calendar_month(now), reached: PerMetric::default() },
        Some(settings) => {
            let usage = usage::current(platform, customer).await?;
            let (used, included) = (usage.used(), usage.included());
            let reached = |metric| {
                let cap = cap_quantity(settings.metric(metric).cap(), included.map(|included| included[metric]));
                cap.filter(|cap| used[metric] >= *cap)
            };
            State { at: now, period: usage.current_period.period, reached: PerMetric::from_fn(reached) }
        }
    };
    platform.caps.0.insert(customer, state);
    Ok(state)
}

/// Leaves out the events (with their places in the request) that a cap refuses, and says so in `rejected`. What was counted before stays in, so
/// that whoever sends it again learns that it is a duplicate.
///
/// # Errors
/// [`Error::UsageCapReached`] when a cap refuses every event of the request.
pub async fn within_caps(
    platform: &Platform,
    customer: CustomerId,
    events: Vec<Placed>,
    rejected: &mut Vec<Rejection>,
) -> Result<Vec<UsageEvent>> {
    let state = state(platform, customer).await?;
    let refused: Vec<&str> = events.iter().filter(|(_, event)| state.refuses(event)).map(|(_, event)| event.id.as_str()).collect();
    if refused.is_empty() {
        return Ok(events.into_iter().map(|(_, event)| event).collect());
    }
    let counted: HashSet<String> = ids::known_events(&platform.db, customer, &refused).await?.into_iter().collect();
    let (mut taken, mut over) = (Vec::with_capacity(events.len()), Vec::new());
    for (index, event) in events {
        if state.refuses(&event) && !counted.contains(&event.id) {
            over.push((index, event));
        } else {
            taken.push(event);
        }
    }
    if taken.is_empty() && rejected.is_empty() {
        metrics::counter!(telemetry::USAGE_EVENTS, "result" => "rejected").increment(over.len() as u64);
        let sentences: Vec<String> = Metric::ALL
            .into_iter()
            .filter(|metric| over.iter().any(|(_, event)| event.metric == *metric))
            .map(|metric| state.sentence(metric))
            .collect();
        return Err(Error::UsageCapReached(sentences.join("; ")));
    }
    rejected.extend(over.into_iter().map(|(index, event)| Rejection {
        index,
        id: Some(event.id),
        code: "usage_cap_reached".to_owned(),
        detail: state.sentence(event.metric),
    }));
    rejected.sort_by_key(|rejection| rejection.index);
    Ok(taken)
}
