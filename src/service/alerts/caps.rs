//! Caps: events of a metric are refused once its quantity in the running period has reached what its customer set.
//!
//! The figures are kept for some seconds, so that a batch costs no query more; what comes in within those seconds may go beyond the cap.

use super::{AlertSettings, store, usage};
use crate::{
    domain::{
        alert::{CapRefusals, cap_quantity},
        identity::CustomerId,
        metric::Metric,
        period::Period,
        usage::{PerMetric, Quantities, show_quantity},
        usage_event::{Placed, Rejection, RejectionCode, UsageEvent},
    },
    service::{Error, Platform, Result},
    store::postgres::usage::ids,
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

/// The caps of a customer beside its figures, as of some moment.
#[derive(Clone, Copy, Debug)]
struct State {
    at: OffsetDateTime,
    period: Period,
    used: Quantities,
    /// The quantity at which a metric's cap stands.
    caps: PerMetric<Option<u64>>,
    /// `used` has corrections that the store may not have counted yet.
    corrected: bool,
}

impl State {
    /// The cap of a metric, where it is reached.
    fn reached(&self, metric: Metric) -> Option<u64> {
        self.caps[metric].filter(|cap| self.used[metric] >= *cap)
    }

    /// The cap that refuses an event. One of another period is not affected.
    fn refuses(&self, event: &UsageEvent) -> Option<u64> {
        self.reached(event.metric).filter(|_| self.period.contains(event.timestamp))
    }

    fn sentence(&self, metric: Metric) -> String {
        let cap = show_quantity(metric, self.reached(metric).unwrap_or_default());
        let until = self.period.end().format(&Rfc3339).unwrap_or_default();
        format!("{metric} has reached the cap of {cap} that is set for the period until {until}; the event was not counted")
    }
}

/// The quantity at which a customer's cap on a metric stands, when it is reached; None while events are accepted.
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

/// A customer's caps as a request's events are up against them.
pub struct Caps {
    customer: CustomerId,
    state: State,
}

/// What caps let through, and what they refuse.
pub struct Decided {
    /// Events to be counted, and some that were counted before, whose sender learns that they are duplicates.
    pub taken: Vec<UsageEvent>,
    pub refused: Vec<Placed>,
}

impl Caps {
    /// For events alone the figures may be some seconds old.
    pub async fn of(platform: &Platform, customer: CustomerId) -> Result<Caps> {
        Ok(Caps { customer, state: known(platform, customer).await? })
    }

    /// For corrections the figures are read anew, since [`corrected`](Caps::corrected) counts from there; unless an earlier correction is in
    /// those of this process and may not be in the store's.
    pub async fn as_of_now(platform: &Platform, customer: CustomerId) -> Result<Caps> {
        let state = match recent(platform, customer).filter(|known| known.corrected) {
            Some(known) => known,
            None => read(platform, customer).await?,
        };
        Ok(Caps { customer, state })
    }

    /// An event counts something else from now on. With ClickHouse the figures say so only some time later.
    pub fn corrected(&mut self, event: &UsageEvent, before: u64) {
        if self.state.period.contains(event.timestamp) {
            self.state.corrected = true;
            let used = self.state.used;
            self.state.used = PerMetric::from_fn(|metric| {
                if metric == event.metric { used[metric].saturating_sub(before).saturating_add(event.quantity) } else { used[metric] }
            });
        }
    }

    /// The next request sees the corrections of this one.
    pub fn remember(&self, platform: &Platform) {
        platform.caps.0.insert(self.customer, self.state);
    }

    /// Parts the events, with their places in the request, by what caps say of them, and adds what is refused to the caps' records.
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

    /// Why all of these are refused, in a sentence for each metric.
    pub fn error(&self, refused: &[Placed]) -> Error {
        let is_refused = |metric: &Metric| refused.iter().any(|(_, event)| event.metric == *metric);
        let sentences: Vec<String> = Metric::ALL.into_iter().filter(is_refused).map(|metric| self.state.sentence(metric)).collect();
        Error::UsageCapReached(sentences.join("; "))
    }

    /// Why one of them is.
    pub fn rejection(&self, index: usize, event: &UsageEvent) -> Rejection {
        Rejection::new(index, Some(&event.id), RejectionCode::UsageCapReached, self.state.sentence(event.metric))
    }
}
