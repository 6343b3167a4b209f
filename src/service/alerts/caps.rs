//! Caps: events of a metric are refused once its usage in the current period has reached the
//! customer's cap.
//!
//! Usage is cached for some seconds, so that a batch needs no further query; events within those
//! seconds may exceed the cap.

use super::{AlertSettings, store, usage};
use crate::{
    domain::{
        alert::{CapRefusals, cap_quantity},
        identity::CustomerId,
        metric::{Metric, PerMetric, Quantities},
        period::Period,
        usage_event::{Placed, Rejection, RejectionCode, UsageEvent},
    },
    service::{Error, Platform, Result},
    store::postgres::usage::ids,
};
use quick_cache::sync::Cache;
use std::{collections::HashSet, sync::Arc};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// How long a customer's caps and usage are cached.
const BELIEVED: Duration = Duration::seconds(5);
/// Maximum number of cached customers.
const CUSTOMERS: usize = 10_000;

/// This process's cache of customers' caps; clones share it.
#[derive(Clone)]
pub struct KnownCaps(Arc<Cache<CustomerId, State>>);

impl Default for KnownCaps {
    fn default() -> KnownCaps {
        KnownCaps(Arc::new(Cache::new(CUSTOMERS)))
    }
}

impl KnownCaps {
    /// Invalidates a customer's entry.
    pub fn forget(&self, customer: CustomerId) {
        self.0.remove(&customer);
    }
}

/// A customer's caps with its usage at some moment.
#[derive(Clone, Copy, Debug)]
struct State {
    at: OffsetDateTime,
    period: Period,
    used: Quantities,
    /// The quantity of a metric's cap.
    caps: PerMetric<Option<u64>>,
    /// `used` includes corrections that the store may not have counted yet.
    corrected: bool,
}

impl State {
    /// The cap of a metric, if reached.
    fn reached(&self, metric: Metric) -> Option<u64> {
        self.caps[metric].filter(|cap| self.used[metric] >= *cap)
    }

    /// The cap that refuses an event. Events of another period are not affected.
    fn refuses(&self, event: &UsageEvent) -> Option<u64> {
        self.reached(event.metric).filter(|_| self.period.contains(event.timestamp))
    }

    fn sentence(&self, metric: Metric) -> String {
        let cap = metric.show(self.reached(metric).unwrap_or_default());
        let until = self.period.end().format(&Rfc3339).unwrap_or_default();
        format!("{metric} has reached the cap of {cap} that is set for the period until {until}; the event was not counted")
    }
}

/// The quantity of a customer's cap on a metric, if reached; None while events are accepted.
pub async fn cap_reached(platform: &Platform, customer: CustomerId, metric: Metric) -> Result<Option<u64>> {
    Ok(known(platform, customer).await?.reached(metric))
}

async fn known(platform: &Platform, customer: CustomerId) -> Result<State> {
    match recent(platform, customer) {
        Some(known) => Ok(known),
        None => read(platform, customer).await,
    }
}

fn recent(platform: &Platform, customer: CustomerId) -> Option<State> {
    let now = platform.clock.now();
    platform.caps.0.get(&customer).filter(|known| known.at <= now && now - known.at < BELIEVED)
}

async fn read(platform: &Platform, customer: CustomerId) -> Result<State> {
    let now = platform.clock.now();
    let set = store::settings(&platform.db, customer).await?;
    let state = match set.filter(AlertSettings::has_cap) {
        None => State {
            at: now,
            period: Period::calendar_month(now),
            used: Quantities::default(),
            caps: PerMetric::default(),
            corrected: false,
        },
        Some(settings) => {
            let usage = usage::current(platform, customer).await?;
            let included = usage.included();
            let cap = |metric| cap_quantity(settings.metric(metric).cap(), included.map(|included| included[metric]));
            State { at: now, period: usage.current_period.period, used: usage.used(), caps: PerMetric::from_fn(cap), corrected: false }
        }
    };
    platform.caps.0.insert(customer, state);
    Ok(state)
}

/// A customer's caps while a request's events are checked.
pub struct Caps {
    customer: CustomerId,
    state: State,
}

/// Accepted and refused events.
pub struct Decided {
    /// Events to count, including duplicates, which the response reports.
    pub taken: Vec<UsageEvent>,
    pub refused: Vec<Placed>,
}

impl Caps {
    /// For events alone, cached usage is good enough.
    pub async fn of(platform: &Platform, customer: CustomerId) -> Result<Caps> {
        Ok(Caps { customer, state: known(platform, customer).await? })
    }

    /// For corrections, usage is read again, because [`corrected`](Caps::corrected) adds to it;
    /// unless this process's cache includes an earlier correction that may be missing in the
    /// store's.
    pub async fn as_of_now(platform: &Platform, customer: CustomerId) -> Result<Caps> {
        let state = match recent(platform, customer).filter(|known| known.corrected) {
            Some(known) => known,
            None => read(platform, customer).await?,
        };
        Ok(Caps { customer, state })
    }

    /// Changes an event's quantity. With ClickHouse the stored usage follows later.
    pub fn corrected(&mut self, event: &UsageEvent, before: u64) {
        if self.state.period.contains(event.timestamp) {
            self.state.corrected = true;
            let used = &mut self.state.used[event.metric];
            *used = used.saturating_sub(before).saturating_add(event.quantity);
        }
    }

    /// Makes this request's corrections visible to the next one.
    pub fn remember(&self, platform: &Platform) {
        platform.caps.0.insert(self.customer, self.state);
    }

    /// Splits the events (with their indexes in the request) by the caps' decisions, and records
    /// refusals.
    pub async fn decide(&self, platform: &Platform, events: Vec<Placed>) -> Result<Decided> {
        let beyond: Vec<&str> =
            events.iter().filter(|(_, event)| self.state.refuses(event).is_some()).map(|(_, event)| event.id.as_str()).collect();
        if beyond.is_empty() {
            return Ok(Decided { taken: events.into_iter().map(|(_, event)| event).collect(), refused: Vec::new() });
        }
        let counted: HashSet<String> = ids::known_events(&platform.db, self.customer, &beyond).await?.into_iter().collect();
        let (mut taken, mut refused) = (Vec::with_capacity(events.len()), Vec::new());
        for (index, event) in events {
            if self.state.refuses(&event).is_some() && !counted.contains(&event.id) {
                refused.push((index, event));
            } else {
                taken.push(event);
            }
        }
        self.record(platform, &refused).await?;
        Ok(Decided { taken, refused })
    }

    async fn record(&self, platform: &Platform, refused: &[Placed]) -> Result<()> {
        let now = platform.clock.now();
        for metric in Metric::ALL {
            let of_metric = || refused.iter().filter(|(_, event)| event.metric == metric);
            let events = of_metric().count() as u64;
            let Some(cap) = self.state.reached(metric).filter(|_| events > 0) else { continue };
            let quantity = of_metric().fold(0_u64, |sum, (_, event)| sum.saturating_add(event.quantity));
            let refusals = CapRefusals { metric, cap, since: now, last_at: now, events, quantity };
            store::refused(&platform.db, self.customer, self.state.period.start(), &refusals).await?;
        }
        Ok(())
    }

    /// Why these are refused, one sentence per metric.
    pub fn error(&self, refused: &[Placed]) -> Error {
        let is_refused = |metric: &Metric| refused.iter().any(|(_, event)| event.metric == *metric);
        let sentences: Vec<String> = Metric::ALL.into_iter().filter(is_refused).map(|metric| self.state.sentence(metric)).collect();
        Error::UsageCapReached(sentences.join("; "))
    }

    /// Why one is refused.
    pub fn rejection(&self, index: usize, event: &UsageEvent) -> Rejection {
        Rejection::new(index, Some(&event.id), RejectionCode::UsageCapReached, self.state.sentence(event.metric))
    }
}
